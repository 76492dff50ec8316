module github.com/weirflow/weir/services/decode

go 1.26
