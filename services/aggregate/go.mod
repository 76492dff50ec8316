module github.com/weirflow/weir/services/aggregate

go 1.26
