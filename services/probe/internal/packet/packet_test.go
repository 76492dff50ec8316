// SPDX-License-Identifier: Apache-2.0

package packet_test

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirflow/weir/services/probe/internal/packet"
)

// told is what the tests look at.
type told struct {
	Version          uint8
	Src, Dst         string
	Proto            uint8
	SrcPort, DstPort uint16
	VLAN, InnerVLAN  uint16
	Length           uint32
	Flags, Type      uint8
}

func tell(p *packet.Packet) told {
	address := func(a [16]byte) string {
		switch p.Version {
		case 4:
			return netip.AddrFrom4([4]byte(a[:4])).String()
		case 6:
			return netip.AddrFrom16(a).String()
		}
		return ""
	}
	return told{
		p.Version, address(p.Src), address(p.Dst), p.Proto, p.SrcPort, p.DstPort, p.VLAN, p.InnerVLAN, p.IPLength, p.TCPFlags, p.ICMPType,
	}
}

const (
	macs = "020000000002 020000000001 "
	tcp4 = "45000028 00010000 40060000 c0000201 c0000202 "
	syn  = "1f900050 00000001 00000000 5002ffff 00000000"
	v6   = "60000000 %s 20010db8000000000000000000000001 20010db8000000000000000000000002 "
)

// The frames are written by hand after the RFCs named.
func TestHeaders(t *testing.T) {
	t.Parallel()
	ip6 := func(lengthNextHop string) string { return strings.Replace(v6, "%s", lengthNextHop, 1) }
	v4 := told{Version: 4, Src: "192.0.2.1", Dst: "192.0.2.2", Proto: 6, SrcPort: 8080, DstPort: 80, Length: 40, Flags: 2}
	tagged, doubly, later := v4, v4, v4
	tagged.VLAN = 100
	doubly.VLAN, doubly.InnerVLAN = 200, 100
	later.SrcPort, later.DstPort, later.Flags = 0, 0, 0
	options := v4
	options.Length = 44
	six := told{Version: 6, Src: "2001:db8::1", Dst: "2001:db8::2"}
	udp6, icmp6 := six, six
	udp6.Proto, udp6.SrcPort, udp6.DstPort, udp6.Length = 17, 53, 1024, 56
	icmp6.Proto, icmp6.Type, icmp6.Length = 58, 128, 48
	for name, tt := range map[string]struct {
		link  uint32
		frame string
		want  told
	}{
		"TCP":                                 {packet.LinkEthernet, macs + "0800" + tcp4 + syn, v4},
		"802.1Q":                              {packet.LinkEthernet, macs + "8100 a064 0800" + tcp4 + syn, tagged},
		"802.1ad":                             {packet.LinkEthernet, macs + "88a8 00c8 8100 0064 0800" + tcp4 + syn, doubly},
		"MPLS, two labels":                    {packet.LinkEthernet, macs + "8847 00010040 00011140" + tcp4 + syn, v4},
		"raw IP":                              {packet.LinkRaw, tcp4 + syn, v4},
		"Linux cooked":                        {packet.LinkSLL, "0000 0001 0006 020000000001 0000 0800" + tcp4 + syn, v4},
		"BSD loopback":                        {packet.LinkNull, "02000000" + tcp4 + syn, v4},
		"IPv4 options (RFC 791)":              {packet.LinkRaw, "4600002c 00010000 40060000 c0000201 c0000202 01010100" + syn, options},
		"a later fragment has no ports":       {packet.LinkRaw, strings.Replace(tcp4, "00010000", "00010010", 1) + syn, later},
		"UDP after hop-by-hop (RFC 8200)":     {packet.LinkRaw, ip6("00100040") + "1100050200000000" + "0035 0400 0008 0000", udp6},
		"ICMPv6 echo request":                 {packet.LinkRaw, ip6("00083a40") + "8000 0000 0001 0001", icmp6},
		"a header that is cut short is no IP": {packet.LinkRaw, "4500002800010000", told{}},
		"ARP is no IP":                        {packet.LinkEthernet, macs + "0806 0001", told{}},
		"nothing":                             {packet.LinkEthernet, "", told{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			frame, err := hex.DecodeString(strings.ReplaceAll(tt.frame, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			var p packet.Packet
			p.Parse(frame, len(frame), tt.link)
			if diff := cmp.Diff(tt.want, tell(&p)); diff != "" {
				t.Errorf("packet (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{tcp4 + syn, macs + "8847 00010040 00011140" + tcp4 + syn} {
		frame, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame, uint32(packet.LinkEthernet))
		f.Add(frame, uint32(packet.LinkRaw))
	}
	f.Fuzz(func(_ *testing.T, frame []byte, link uint32) {
		var p packet.Packet
		p.Parse(frame, len(frame), link)
	})
}
