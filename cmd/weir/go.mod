module github.com/weirflow/weir/cmd/weir

go 1.26
