module github.com/weirflow/weir/bus

go 1.26
