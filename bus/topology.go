// SPDX-License-Identifier: Apache-2.0

package bus

import "strconv"

// Stage names, as they stand in metrics, logs and subjects.
const (
	Ingest    = "ingest"
	Decode    = "decode"
	Enrich    = "enrich"
	Aggregate = "aggregate"
	Insert    = "insert"
)

// Stream is a JetStream stream with one subject a partition.
type Stream struct {
	Name    string
	subject string   // of partition p: subject.p
	readers []string // stages; what all of them have covered is truncated
	share   int      // of Config.MaxBytes, percent
	s2      bool     // payloads are compressed
	// replay keeps what has been read while the stream is less than half full.
	replay bool
}

// The pipeline.
//
//	ingest ─DATAGRAMS→ decode ─FLOWS→ enrich ─ENRICHED→ insert
//	                     │ └→ HELD                └→ aggregate ─ROLLUPS→ insert
//	                     └COUNTERS→ insert
var (
	Datagrams = Stream{Name: "DATAGRAMS", subject: "datagrams", readers: []string{Decode}, share: 35, replay: true}
	Flows     = Stream{Name: "FLOWS", subject: "flows", readers: []string{Enrich}, share: 15, s2: true}
	Enriched  = Stream{Name: "ENRICHED", subject: "enriched", readers: []string{Aggregate, Insert}, share: 32, s2: true}
	Rollups   = Stream{Name: "ROLLUPS", subject: "rollups", readers: []string{Insert}, share: 8, s2: true, replay: true}
	Counters  = Stream{Name: "COUNTERS", subject: "counters", readers: []string{Insert}, share: 5, s2: true}
	// Held is a log of decode: data that wait for their template.
	Held = Stream{Name: "HELD", subject: "held", readers: []string{Decode}, share: 3, s2: true}
)

func streams() []Stream { return []Stream{Datagrams, Flows, Enriched, Rollups, Counters, Held} }

// dead is the stream of messages that could not be processed, on dead.<stage>.<partition>.
const (
	deadName  = "DEAD"
	deadShare = 2 // percent of Config.MaxBytes
)

// Bucket is a KV bucket.
type Bucket string

// Buckets.
const (
	Templates Bucket = "TEMPLATES" // what decode learned: <partition>.<key>
	Exporters Bucket = "EXPORTERS" // what exporters told enrich by SNMP: <partition>.<address>
	positions Bucket = "POSITIONS" // <stream>.<stage>.<partition>: last sequence covered
	intents   Bucket = "INTENTS"   // <stream>: what insert has written and is writing
)

func buckets() []Bucket { return []Bucket{Templates, Exporters, positions, intents} }

// history is how many values of a key a bucket keeps.
func (b Bucket) history() uint8 {
	if b == Templates {
		return stateHistory
	}
	return 1
}

func (s Stream) partition(p int) string { return s.subject + "." + strconv.Itoa(p) }
