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
	as           uint32  // 0 is unknown
	country      country // 0 is unknown
	region, city string
}

// database is one file, and the organisations of the AS numbers in it.
type database struct {
	*maxminddb.Reader
	organisations map[uint32]string
}

// databases is one generation of what is configured, in order of preference. It never
// changes, and is safe for concurrent use.
type databases struct {
	asns, countries []*database
}

// organisation returns the name of who has an AS number.
func (d *databases) organisation(as uint32) string {
	for _, db := range d.asns {
		if name := db.organisations[as]; name != "" {
			return name
		}
	}
	return ""
}

// find returns the record of an address. It raises bits to the length of the prefix that has the same.
func (d *database) find(addr netip.Addr, bits *int) (r maxminddb.Result, ok bool) {
	if addr.Is6() && d.Metadata.IPVersion == 4 {
		return r, false
	}
	r = d.Lookup(addr)
	if p := r.Prefix(); p.Addr().Is4() == addr.Is4() { // else all of IPv4 has the same
		*bits = max(*bits, p.Bits())
	}
	return r, r.Found()
}

// decode reads a record. None fails: all were read before the database was taken into use.
func decode(r maxminddb.Result) (ans answer) {
	_ = r.Decode(&ans)
	return ans
}

// eachPair reads a map.
func eachPair(c mmdbdata.Cursor, read func(key string, value mmdbdata.Cursor) (mmdbdata.Cursor, error)) (mmdbdata.Cursor, error) {
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
		if last, err = read(string(key), value); err != nil {
			return last, err
		}
	}
}

// UnmarshalMaxMindDBCursor reads what serves of a record, in the form of MaxMind or of
// IPinfo. It implements mmdbdata.CursorUnmarshaler.
func (a *answer) UnmarshalMaxMindDBCursor(c mmdbdata.Cursor) (mmdbdata.Cursor, error) {
	return eachPair(c, a.read)
}

// read reads one value of a record.
func (a *answer) read(key string, value mmdbdata.Cursor) (next mmdbdata.Cursor, err error) {
	kind, err := value.Kind()
	if err != nil {
		return value, err
	}
	switch kind {
	case mmdbdata.KindString:
		var s string
		s, next, err = value.ReadString()
		a.set(key, s)
		return next, err
	case mmdbdata.KindUint32:
		if key == "autonomous_system_number" {
			a.as, next, err = readAS(value)
			return next, err
		}
	case mmdbdata.KindMap:
		if key == "country" || key == "city" {
			return a.readPlace(key, value)
		}
	case mmdbdata.KindSlice:
		if key == "subdivisions" {
			return a.readSubdivisions(value)
		}
	default:
	}
	return value.Skip()
}

// set takes over a text in the form of IPinfo.
func (a *answer) set(key, s string) {
	switch key {
	case "asn": // "AS64496"
		a.as = parseAS(s)
	case "country", "country_code": // one is the code and, where it is the other, the name
		if c := parseCountry(s); c != 0 {
			a.country = c
		}
	case "city":
		a.city = s
	case "region":
		a.region = s
	}
}

func readAS(value mmdbdata.Cursor) (uint32, mmdbdata.Cursor, error) {
	n, next, err := value.ReadUint()
	return uint32(n), next, err //nolint:gosec // its kind is uint32
}

// text reads the text under a key of a map, and passes over the others.
func text(c mmdbdata.Cursor, key string, to *string) (mmdbdata.Cursor, error) {
	return eachPair(c, func(k string, value mmdbdata.Cursor) (next mmdbdata.Cursor, err error) {
		if k != key {
			return value.Skip()
		}
		*to, next, err = value.ReadString()
		return next, err
	})
}

// readPlace reads what serves of MaxMind's maps: the code of a country, the English name of a city.
func (a *answer) readPlace(key string, c mmdbdata.Cursor) (mmdbdata.Cursor, error) {
	if key == "country" {
		var code string
		next, err := text(c, "iso_code", &code)
		a.country = parseCountry(code)
		return next, err
	}
	return eachPair(c, func(k string, value mmdbdata.Cursor) (mmdbdata.Cursor, error) {
		if k != "names" {
			return value.Skip()
		}
		return text(value, "en", &a.city)
	})
}

// readSubdivisions reads the code of the first, which is the largest.
func (a *answer) readSubdivisions(c mmdbdata.Cursor) (mmdbdata.Cursor, error) {
	list, err := c.Slice()
	if err != nil {
		return c, err
	}
	var last mmdbdata.Cursor
	for {
		_, value, ok := list.Next(last)
		switch {
		case !ok:
			return list.End()
		case a.region == "":
			last, err = text(value, "iso_code", &a.region)
		default:
			last, err = value.Skip()
		}
		if err != nil {
			return last, err
		}
	}
}

// organisation is who has an AS number, in the form of MaxMind or of IPinfo.
type organisation struct {
	as   uint32
	name string
}

// UnmarshalMaxMindDBCursor implements mmdbdata.CursorUnmarshaler.
func (o *organisation) UnmarshalMaxMindDBCursor(c mmdbdata.Cursor) (mmdbdata.Cursor, error) {
	return eachPair(c, func(key string, value mmdbdata.Cursor) (next mmdbdata.Cursor, err error) {
		kind, err := value.Kind()
		switch {
		case err != nil:
			return value, err
		case key == "autonomous_system_number" && kind == mmdbdata.KindUint32:
			o.as, next, err = readAS(value)
		case key == "asn" && kind == mmdbdata.KindString:
			var s string
			s, next, err = value.ReadString()
			o.as = parseAS(s)
		case (key == "autonomous_system_organization" || key == "as_name") && kind == mmdbdata.KindString:
			o.name, next, err = value.ReadString()
		default:
			return value.Skip()
		}
		return next, err
	})
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
func load(path string) (*database, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, err := maxminddb.OpenBytes(b)
	if err != nil {
		return nil, err
	}
	organisations, err := check(r)
	if err != nil {
		return nil, err
	}
	return &database{r, organisations}, nil
}

// check reads the tree and every record, so that a damaged file shows before it is used, and
// returns the organisations in it. (Reader.Verify also refuses databases that merely lack a
// description.)
func check(r *maxminddb.Reader) (map[uint32]string, error) {
	seen, organisations := map[uintptr]bool{}, map[uint32]string{}
	for result := range r.Networks() {
		if err := result.Err(); err != nil {
			return nil, err
		}
		if seen[result.Offset()] {
			continue
		}
		seen[result.Offset()] = true
		var a answer
		var o organisation
		if err := cmp.Or(result.Decode(&a), result.Decode(&o)); err != nil {
			return nil, fmt.Errorf("read record of %s: %w", result.Prefix(), err)
		}
		if o.as != 0 && o.name != "" {
			organisations[o.as] = o.name
		}
	}
	return organisations, nil
}
