module github.com/weirflow/weir/flow

go 1.26

require (
	github.com/google/go-cmp v0.7.0
	github.com/weirflow/weir/proto v0.0.0
	google.golang.org/protobuf v1.36.12
)

require github.com/planetscale/vtprotobuf v0.6.0 // indirect

replace github.com/weirflow/weir/proto => ../proto
