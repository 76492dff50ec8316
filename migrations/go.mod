module github.com/weirflow/weir/migrations

go 1.26
