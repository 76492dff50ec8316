module github.com/weirflow/weir/services/insert

go 1.26
