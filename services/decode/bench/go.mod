module github.com/weirflow/weir/services/decode/bench

go 1.26.0

replace (
	github.com/weirflow/weir/bus => ../../../bus
	github.com/weirflow/weir/daemon => ../../../daemon
	github.com/weirflow/weir/flow => ../../../flow
	github.com/weirflow/weir/proto => ../../../proto
	github.com/weirflow/weir/services/decode => ..
	github.com/weirflow/weir/test => ../../../test
)

require (
	github.com/netsampler/goflow2/v2 v2.2.6
	github.com/weirflow/weir/flow v0.0.0
	github.com/weirflow/weir/services/decode v0.0.0
)

require (
	github.com/libp2p/go-reuseport v0.4.0 // indirect
	github.com/planetscale/vtprotobuf v0.6.0 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
	github.com/weirflow/weir/proto v0.0.0 // indirect
	go.yaml.in/yaml/v3 v3.0.6 // indirect
	golang.org/x/sys v0.49.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
