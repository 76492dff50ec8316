module github.com/weirflow/weir/services/enrich

go 1.26
