module github.com/weirflow/weir/test

go 1.26
