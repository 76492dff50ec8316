// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"
	"github.com/oschwald/maxminddb-golang/v2/mmdbdata"
)

// answer is what the databases know about an address.
type answer struct {
	as      uint32  // 0 is unknown
	country country // 0 is unknown
}

// databases is one generation of what is configured, in order of preference. It never
// changes, and is safe for concurrent use.
type databases struct {
	asns, countries []*maxminddb.Reader
}

// lookup asks the databases in their order until one knows. An error is that of the last
// database that failed; the others have answered.
func (d *databases) lookup(a [16]byte) (ans answer, err error) {
	addr := netip.AddrFrom16(a).Unmap()
	for i := 0; i < len(d.asns) && ans.as == 0; i++ {
		found, e := lookup(d.asns[i], addr)
		ans.as, err = found.as, cmp.Or(e, err)
	}
	for i := 0; i < len(d.countries) && ans.country == 0; i++ {
		found, e := lookup(d.countries[i], addr)
		ans.country, err = found.country, cmp.Or(e, err)
	}
	return ans, err
}

func lookup(r *maxminddb.Reader, addr netip.Addr) (found answer, err error) {
	if addr.Is6() && r.Metadata.IPVersion == 4 {
		return answer{}, nil // it has no answer, which is no error
	}
	err = r.Lookup(addr).Decode(&found)
	return found, err
}

// UnmarshalMaxMindDBCursor reads what serves of a record, in the form of MaxMind or of
// IPinfo. It implements mmdbdata.CursorUnmarshaler.
func (a *answer) UnmarshalMaxMindDBCursor(c mmdbdata.Cursor) (mmdbdata.Cursor, error) {
	m, err := c.Map()
	if err != nil {
		return c, err
	}
	var last mmdbdata.Cursor
	for {
		key, value, ok := m.Next(last)
		if !ok {
			return m.End()
		}
		if last, err = a.read(string(key), value); err != nil {
			return last, err
		}
	}
}

// read reads one value of a record.
func (a *answer) read(key string, value mmdbdata.Cursor) (next mmdbdata.Cursor, err error) {
	kind, err := value.Kind()
	if err != nil {
		return value, err
	}
	switch {
	case key == "autonomous_system_number" && kind == mmdbdata.KindUint32:
		var n uint64
		n, next, err = value.ReadUint()
		a.as = uint32(n) //nolint:gosec // its kind is uint32
	case key == "asn" && kind == mmdbdata.KindString: // IPinfo: "AS64496"
		var s string
		s, next, err = value.ReadString()
		a.as = parseAS(s)
	case key == "country" && kind == mmdbdata.KindMap:
		return a.readCountry(value)
	case (key == "country" || key == "country_code") && kind == mmdbdata.KindString:
		// IPinfo has the code under one of these and, where it is the other, the name.
		var s string
		s, next, err = value.ReadString()
		if c := parseCountry(s); c != 0 {
			a.country = c
		}
	default:
		return value.Skip()
	}
	return next, err
}

// readCountry reads MaxMind's map of a country.
func (a *answer) readCountry(c mmdbdata.Cursor) (mmdbdata.Cursor, error) {
	m, err := c.Map()
	if err != nil {
		return c, err
	}
	var last mmdbdata.Cursor
	for {
		key, value, ok := m.Next(last)
		switch {
		case !ok:
			return m.End()
		case string(key) == "iso_code":
			var s string
			s, last, err = value.ReadString()
			a.country = parseCountry(s)
		default:
			last, err = value.Skip()
		}
		if err != nil {
			return last, err
		}
	}
}

// parseAS returns 0 for what is not an AS number.
func parseAS(s string) uint32 {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "AS"), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// load reads and checks a database. The file is read into memory, not mapped: whoever writes a
// new one over it in place would pull the pages from under us.
func load(path string) (*maxminddb.Reader, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, err := maxminddb.OpenBytes(b)
	if err != nil {
		return nil, err
	}
	if err := check(r); err != nil {
		return nil, err
	}
	return r, nil
}

// check reads the tree and every record, so that a damaged file shows before it is used.
// (Reader.Verify also refuses databases that merely lack a description.)
func check(r *maxminddb.Reader) error {
	seen := map[uintptr]bool{}
	for result := range r.Networks() {
		if err := result.Err(); err != nil {
			return err
		}
		if seen[result.Offset()] {
			continue
		}
		seen[result.Offset()] = true
		var a answer
		if err := result.Decode(&a); err != nil {
			return fmt.Errorf("read record of %s: %w", result.Prefix(), err)
		}
	}
	return nil
}
