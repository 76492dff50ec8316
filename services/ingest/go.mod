module github.com/weirflow/weir/services/ingest

go 1.26
