// SPDX-License-Identifier: Apache-2.0

package probe_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/weirflow/weir/services/probe"
	"github.com/weirflow/weir/test/traffic"
)

// certificate makes one for 127.0.0.1 that signs itself, and a file with it.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// TestMessagesOverConnections: over TCP and TLS the same flows arrive as over UDP, templates
// once, in messages that follow each other.
func TestMessagesOverConnections(t *testing.T) {
	t.Parallel()
	traffic.Require(t, "tshark")
	pcap, flows := writeCapture(t, 40)
	pair, ca := certificate(t)
	for _, transport := range []string{"tcp", "tls"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			address := listener.Addr().String()
			if transport == "tls" {
				listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
			}
			received := make(chan [][]byte, 1)
			go func() { received <- accept(listener) }()
			cfg := probe.DefaultConfig()
			cfg.Files, cfg.To, cfg.Transport, cfg.TLSCA = []string{pcap}, []string{address}, transport, ca
			run(t, cfg)
			messages := <-received
			rows := dissect(t, messages, "cflow", "cflow.octets", "cflow.packets", "cflow.sequence", "cflow.template_id")
			var count, packets, octets, sequence uint64
			for i, row := range rows {
				wantNumber(t, i, "sequence", int(number(t, row[2][0])), int(sequence))
				octets += sum(t, row[0])
				packets += sum(t, row[1])
				count += uint64(len(row[0]))
				sequence = count + 1 // the options record of the interface
				if i > 0 && row[3] != nil {
					t.Errorf("message %d has templates again", i)
				}
			}
			wantCount, wantPackets, wantOctets := totals(flows, true)
			if count != wantCount || packets != wantPackets || octets != wantOctets {
				t.Errorf("%d flows, %d packets, %d octets, want %d, %d, %d", count, packets, octets, wantCount, wantPackets, wantOctets)
			}
		})
	}
}

// TestConnectionThatIsLostIsMadeAgain and begins anew: with templates, and with sequence number 0.
func TestConnectionThatIsLostIsMadeAgain(t *testing.T) {
	t.Parallel()
	traffic.Require(t, "tshark")
	pcap, _ := writeCapture(t, 40)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	received := make(chan [][]byte, 1)
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_, _ = io.ReadFull(conn, make([]byte, 16))
			_ = conn.Close()
		}
		received <- accept(listener)
	}()
	cfg := probe.DefaultConfig()
	cfg.Files, cfg.To, cfg.Transport = []string{pcap}, []string{listener.Addr().String()}, "tcp"
	cfg.Speed, cfg.ActiveTimeout, cfg.IdleTimeout = 20, 2*time.Second, time.Second // flows end all the time
	reg := run(t, cfg)
	messages := <-received
	if len(messages) == 0 {
		t.Fatal("nothing came over a second connection")
	}
	rows := dissect(t, messages, "cflow", "cflow.sequence", "cflow.template_id")
	if number(t, rows[0][0][0]) != 0 || rows[0][1] == nil {
		t.Errorf("the first message has sequence number %v and templates %v, want 0 and some", rows[0][0], rows[0][1])
	}
	if n := counter(t, reg, "weir_probe_reconnects_total"); n != 1 {
		t.Errorf("%v reconnections were counted, want 1", n)
	}
}

// accept returns the messages of one connection.
func accept(l net.Listener) (messages [][]byte) {
	defer l.Close()
	conn, err := l.Accept()
	if err != nil {
		return nil
	}
	defer conn.Close()
	all, err := io.ReadAll(conn)
	for err == nil && len(all) >= 16 {
		n := int(binary.BigEndian.Uint16(all[2:]))
		if n < 16 || n > len(all) {
			return messages
		}
		messages, all = append(messages, all[:n]), all[n:]
	}
	return messages
}
