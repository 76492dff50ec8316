// SPDX-License-Identifier: Apache-2.0

package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// document is the configuration as JSON (RFC 7951). The fields of observationPoint that
// RFC 6728 does not have are goflowd's.
type document struct {
	ObservationPoint []observationPoint `json:"observationPoint"`
	SelectionProcess []selectionProcess `json:"selectionProcess"`
	Cache            []cache            `json:"cache"`
	ExportingProcess []exportingProcess `json:"exportingProcess"`
}

type observationPoint struct {
	Name                 string   `json:"name"`
	ObservationDomainID  uint32   `json:"observationDomainId"`
	IfName               []string `json:"ifName"`
	Direction            string   `json:"direction"`
	SelectionProcess     []string `json:"selectionProcess"`
	OfflineFile          string   `json:"offlineFile"`
	Promiscuous          flag     `json:"promiscuous"`
	PcapgoImplementation flag     `json:"pcapgoImplementation"` // no matter: there is one implementation
	MaxObservingPackets  number   `json:"maxObservingPackets"`
	SnapLength           number   `json:"snapLength"`
	Filter               string   `json:"filter"`
}

type selectionProcess struct {
	Name     string     `json:"name"`
	Selector []selector `json:"selector"`
	Cache    string     `json:"cache"`
}

type selector struct {
	Name           string          `json:"name"`
	SelectAll      flag            `json:"selectAll"`
	SampCountBased *countBased     `json:"sampCountBased"`
	SampTimeBased  *timeBased      `json:"sampTimeBased"`
	SampRandOutOfN *randOutOfN     `json:"sampRandOutOfN"`
	SampUniProb    *uniProb        `json:"sampUniProb"`
	FilterMatch    *filterMatch    `json:"filterMatch"`
	FilterHash     json.RawMessage `json:"filterHash"`
}

type countBased struct {
	PacketInterval number `json:"packetInterval"`
	PacketSpace    number `json:"packetSpace"`
}

// timeBased is in microseconds.
type timeBased struct {
	TimeInterval number `json:"timeInterval"`
	TimeSpace    number `json:"timeSpace"`
}

type randOutOfN struct {
	Size       number `json:"size"`
	Population number `json:"population"`
}

type uniProb struct {
	Probability number `json:"probability"`
}

type filterMatch struct {
	IEName             string `json:"ieName"`
	IEID               uint16 `json:"ieId"`
	IEEnterpriseNumber uint32 `json:"ieEnterpriseNumber"`
	Value              string `json:"value"`
}

type cache struct {
	Name             string     `json:"name"`
	ImmediateCache   *flowCache `json:"immediateCache"`
	TimeoutCache     *flowCache `json:"timeoutCache"`
	NaturalCache     *flowCache `json:"naturalCache"`
	PermanentCache   *flowCache `json:"permanentCache"`
	ExportingProcess []string   `json:"exportingProcess"`
}

// flowCache has times in seconds.
type flowCache struct {
	MaxFlows       *number `json:"maxFlows"`
	ActiveTimeout  *number `json:"activeTimeout"`
	IdleTimeout    *number `json:"idleTimeout"`
	ExportInterval *number `json:"exportInterval"`
	CacheLayout    struct {
		CacheField []cacheField `json:"cacheField"`
	} `json:"cacheLayout"`
}

type cacheField struct {
	Name               string  `json:"name"`
	IEName             string  `json:"ieName"`
	IEID               uint16  `json:"ieId"`
	IELength           *uint16 `json:"ieLength"`
	IEEnterpriseNumber uint32  `json:"ieEnterpriseNumber"`
	IsFlowKey          flag    `json:"isFlowKey"`
}

type exportingProcess struct {
	Name        string          `json:"name"`
	ExportMode  string          `json:"exportMode"`
	Destination []destination   `json:"destination"`
	Options     json.RawMessage `json:"options"`
}

type destination struct {
	Name         string          `json:"name"`
	UDPExporter  *exporter       `json:"udpExporter"`
	TCPExporter  *exporter       `json:"tcpExporter"`
	SCTPExporter json.RawMessage `json:"sctpExporter"`
	FileWriter   json.RawMessage `json:"fileWriter"`
}

type exporter struct {
	IPFIXVersion                  uint16  `json:"ipfixVersion"`
	DestinationPort               uint16  `json:"destinationPort"`
	DestinationIPAddress          string  `json:"destinationIPAddress"`
	SourceIPAddress               string  `json:"sourceIPAddress"`
	SendBufferSize                number  `json:"sendBufferSize"`
	MaxPacketSize                 number  `json:"maxPacketSize"`
	TemplateRefreshTimeout        *number `json:"templateRefreshTimeout"`
	OptionsTemplateRefreshTimeout *number `json:"optionsTemplateRefreshTimeout"`
	TemplateRefreshPacket         number  `json:"templateRefreshPacket"`
	OptionsTemplateRefreshPacket  number  `json:"optionsTemplateRefreshPacket"`
	TransportLayerSecurity        *struct {
		RemoteSubjectFQDN []string `json:"remoteSubjectFQDN"`
	} `json:"transportLayerSecurity"`
}

// flag is a leaf that is there or not, [null] in JSON (RFC 7951 section 6.9), or a boolean.
type flag bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *flag) UnmarshalJSON(b []byte) error {
	switch string(bytes.Join(bytes.Fields(b), nil)) {
	case "[null]", "true":
		*f = true
	case "false", "null":
	default:
		return fmt.Errorf("is %s, want [null] or a boolean", b)
	}
	return nil
}

// number is a JSON number or one in quotes, as 64 bits and decimals are (RFC 7951 section 6.1).
type number float64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	text := string(b)
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v < 0 || v > 1<<53 {
		return fmt.Errorf("is %s, want a number", b)
	}
	*n = number(v)
	return nil
}

// decode reads the document, with or without ietf-ipfix-psamp:ipfix around it.
func decode(text []byte) (document, error) {
	var wrapped map[string]json.RawMessage
	if err := json.Unmarshal(text, &wrapped); err != nil {
		return document{}, fmt.Errorf("json: %w", err)
	}
	for _, name := range []string{"ietf-ipfix-psamp:ipfix", "ipfix"} {
		if inner, ok := wrapped[name]; ok && len(wrapped) == 1 {
			text = inner
		}
	}
	var d document
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	err := dec.Decode(&d)
	return d, err
}
