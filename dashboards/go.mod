module github.com/weirflow/weir/dashboards

go 1.26.0
