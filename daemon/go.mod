module github.com/weirflow/weir/daemon

go 1.26
