// SPDX-License-Identifier: Apache-2.0

// Command bench compares decode with GoFlow2 on the same datagrams in one run:
// decoding and marshalling of a flow, with allocations. It is a module of its own,
// so that GoFlow2 is no dependency of the service.
//
//	go run .                       # in this folder
//	go run . -cpuprofile cpu.out   # then: go tool pprof -top cpu.out
package main
