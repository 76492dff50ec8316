// SPDX-License-Identifier: Apache-2.0

// Command weir is the whole of Weir in one program.
//
//	weir up          all services in one process, with NATS and ClickHouse
//	weir migrate     bring the tables of a ClickHouse up to date
//	weir streams     bring the streams of a NATS server up to date
//	weir check       validate a configuration file
//	weir config      write the settings in effect as a configuration file
//	weir decode      print the flows in packet captures
//	weir probe       measure packets and export flows
//	weir generate    send made-up flows and tell exactly what was sent
//	weir replay-pcap send the flow datagrams of a capture
//	weir explain     take export datagrams apart, field by field
//	weir clickhouse  the embedded ClickHouse engine, started by weir up
//	weir version     what this program was built from
//
// It only wires: the services run over the same streams with the same code as
// when each is a process of its own.
package main
