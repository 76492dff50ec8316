// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// loadNetworks reads and checks a file of networks, YAML or CSV by its name.
func loadNetworks(path string) ([]networkConfig, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []networkConfig
	if strings.EqualFold(filepath.Ext(path), ".csv") {
		list, err = readNetworksCSV(bytes.NewReader(data))
	} else {
		err = loadYAML(data, "networks", &list)
	}
	if err != nil {
		return nil, err
	}
	_, err = newNetworks(list)
	return list, err
}

// loadYAML reads a list, which may stand alone or under a key. Unknown keys are errors.
func loadYAML[T any](data []byte, key string, list *[]T) error {
	var top yaml.Node
	if err := yaml.Load(data, &top); err != nil {
		if errors.Is(err, io.EOF) || len(bytes.TrimSpace(data)) == 0 {
			return nil
		}
		return err
	}
	if len(top.Content) == 1 && top.Content[0].Kind == yaml.MappingNode {
		var under map[string][]T
		if err := yaml.Load(data, &under, yaml.WithKnownFields()); err != nil {
			return err
		}
		for k := range under {
			if k != key {
				return fmt.Errorf("unknown key %s, want %s", k, key)
			}
		}
		*list = under[key]
		return nil
	}
	return yaml.Load(data, list, yaml.WithKnownFields())
}

// contextColumn is how columns of CSV begin that are labels.
const contextColumn = "context."

// readNetworksCSV reads a table whose first line names the columns: those of networks, and
// context.X for the label X. prefixList of one network are separated by spaces.
func readNetworksCSV(from io.Reader) ([]networkConfig, error) {
	r := csv.NewReader(from)
	r.Comment = '#'
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("read the names of the columns: %w", err)
	}
	var list []networkConfig
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		var n networkConfig
		for i, text := range row {
			if err := n.set(strings.TrimSpace(head[i]), strings.TrimSpace(text)); err != nil {
				line, _ := r.FieldPos(i)
				return nil, fmt.Errorf("line %d: %s: %w", line, head[i], err)
			}
		}
		list = append(list, n)
	}
}

// set sets one column of a network.
func (n *networkConfig) set(column, text string) error {
	texts := map[string]*string{
		"vrf": &n.VRF, "name": &n.Name, "role": &n.Role, "site": &n.Site,
		"region": &n.Region, "tenant": &n.Tenant, "country": &n.Country,
	}
	label, isLabel := strings.CutPrefix(column, contextColumn)
	switch {
	case texts[column] != nil:
		*texts[column] = text
	case text == "":
	case isLabel:
		if n.Context == nil {
			n.Context = map[string]string{}
		}
		n.Context[label] = text
	case column == "cidr":
		for item := range strings.FieldsSeq(text) {
			p, err := netip.ParsePrefix(item)
			if err != nil {
				return err
			}
			n.CIDR = append(n.CIDR, p)
		}
	case column == "asn":
		as, err := strconv.ParseUint(strings.TrimPrefix(text, "AS"), 10, 32)
		n.ASN = uint32(as) //nolint:gosec // parsed as 32 bits
		return err
	default:
		return errors.New("unknown column")
	}
	return nil
}
