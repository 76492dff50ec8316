module github.com/weirflow/weir/flow

go 1.26
