// SPDX-License-Identifier: Apache-2.0

package cryptopan

import (
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// The key of the sample trace in the original distribution of Crypto-PAn.
var sampleKey = []byte{
	21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16,
	216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2,
}

// IPv4: the sample trace, as it is and sanitised. IPv6: what other implementations agree on.
func TestPublishedVectors(t *testing.T) {
	t.Parallel()
	for _, v := range []struct{ in, want string }{
		{"128.11.68.132", "135.242.180.132"},
		{"129.118.74.4", "134.136.186.123"},
		{"130.132.252.244", "133.68.164.234"},
		{"141.223.7.43", "141.167.8.160"},
		{"141.233.145.108", "141.129.237.235"},
		{"152.163.225.39", "151.140.114.167"},
		{"156.29.3.236", "147.225.12.42"},
		{"165.247.96.84", "162.9.99.234"},
		{"166.107.77.190", "160.132.178.185"},
		{"192.102.249.13", "252.138.62.131"},
		{"192.215.32.125", "252.43.47.189"},
		{"198.51.77.238", "249.18.186.254"},
		{"199.217.79.101", "248.38.184.213"},
		{"202.49.198.20", "245.206.7.234"},
		{"212.120.124.31", "228.135.163.231"},
		{"24.0.250.221", "100.15.198.226"},
		{"24.13.62.231", "100.2.192.247"},
		{"38.15.67.68", "64.3.66.187"},
		{"4.3.88.225", "124.60.155.63"},
		{"63.14.55.111", "95.9.215.7"},
		{"64.34.154.117", "0.221.154.117"},
		{"10.185.25.118", "117.161.29.118"},
		{"::1", "78ff:f001:9fc0:20df:8380:b1f1:704:ed"},
		{"::2", "78ff:f001:9fc0:20df:8380:b1f1:704:ef"},
		{"::ffff", "78ff:f001:9fc0:20df:8380:b1f1:704:f838"},
		{"2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e"},
		{"2001:db8::2", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c"},
	} {
		if got := encrypt(t, netip.MustParseAddr(v.in)); got.String() != v.want {
			t.Errorf("%s becomes %s, want %s", v.in, got, v.want)
		}
	}
}

func encrypt(t *testing.T, a netip.Addr) netip.Addr {
	t.Helper()
	c, err := New(sampleKey)
	if err != nil {
		t.Fatal(err)
	}
	b := a.AsSlice()
	c.Encrypt(b)
	got, _ := netip.AddrFromSlice(b)
	return got
}

func TestCommonPrefixesKeepTheirLength(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		a := rnd.Uint32()
		b := a ^ 1<<rnd.IntN(32) ^ rnd.Uint32()>>(1+rnd.IntN(32))
		x, y := encrypt(t, ipv4(a)).As4(), encrypt(t, ipv4(b)).As4()
		got := bits.LeadingZeros32(number(x) ^ number(y))
		if want := bits.LeadingZeros32(a ^ b); got != want {
			t.Fatalf("%v and %v share %d bits, encrypted %d", ipv4(a), ipv4(b), want, got)
		}
	}
}

func ipv4(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

func number(a [4]byte) uint32 {
	return uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
}

func TestKeysAreChecked(t *testing.T) {
	t.Parallel()
	if _, err := New(make([]byte, 16)); err == nil {
		t.Error("a key of 16 octets is taken")
	}
	if _, err := ParseKey([]byte("00")); err == nil {
		t.Error("a key of 2 digits is taken")
	}
}
