// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/weirflow/weir/clickhouse/clickhousetest"
	"github.com/weirflow/weir/flow"
	"github.com/weirflow/weir/migrations"
)

// gate passes connections on to an address until it is shut.
type gate struct {
	net.Listener
	to string

	mu    sync.Mutex
	conns []net.Conn
}

// newGate listens, with TLS if certificates are given.
func newGate(t testing.TB, to string, certificates ...tls.Certificate) *gate {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if certificates != nil {
		l = tls.NewListener(l, &tls.Config{Certificates: certificates, MinVersion: tls.VersionTLS12})
	}
	g := &gate{Listener: l, to: to}
	t.Cleanup(g.shut)
	go g.serve(t)
	return g
}

func (g *gate) serve(t testing.TB) {
	for {
		client, err := g.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).DialContext(t.Context(), "tcp", g.to)
		if err != nil {
			client.Close()
			continue
		}
		g.mu.Lock()
		g.conns = append(g.conns, client, server)
		g.mu.Unlock()
		go func() { _, _ = io.Copy(server, client); server.Close() }()
		go func() { _, _ = io.Copy(client, server); client.Close() }()
	}
}

func (g *gate) shut() {
	g.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.conns {
		c.Close()
	}
}

func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestEveryTransportWritesTheSameOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if f.HTTP == "" {
		t.Skip("the server's HTTP address is not known")
	}
	messages := typical(t, 3, 500)
	const sum = "SELECT (count(), sum(cityHash64(*))) FROM flows"
	if err := f.writeFlows(t.Context(), "token", messages); err != nil {
		t.Fatal(err)
	}
	want := f.count(t, sum)
	cert := certificate(t)
	for name, dsn := range map[string]string{
		"http":             "http://" + f.HTTP,
		"https":            "https://default:any@" + newGate(t, f.HTTP, cert).Addr().String() + "?secure=true&skip_verify=true",
		"native with TLS":  "clickhouse://" + newGate(t, f.Native, cert).Addr().String() + "?secure=true&skip_verify=true",
		"native with LZ4":  f.DSN("") + "?",
		"native with ZSTD": f.DSN(""),
		"http with ZSTD":   "http://" + f.HTTP + "/",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := &fixture{Server: f.Server, cfg: f.cfg}
			g.cfg.DSN, g.cfg.Database = dsn, f.Database(t)
			if n := len(name); name[n-3:] == "LZ4" {
				g.cfg.Compression = "lz4"
			} else if name[n-4:] == "ZSTD" {
				g.cfg.Compression = "zstd"
			}
			if err := migrations.Up(t.Context(), dsn, g.cfg.Database, slog.New(slog.DiscardHandler)); err != nil {
				t.Fatal(err)
			}
			g.conn, g.writer = f.Open(t, g.cfg.Database), newWriter(t, g.cfg)
			for range 2 {
				if err := g.writeFlows(t.Context(), "token", messages); err != nil {
					t.Fatal(err)
				}
			}
			if got := g.count(t, sum); got != want {
				t.Errorf("rows and checksum %s, want %s", got, want)
			}
			g.forgetRows(t, "flows", "1")
			if err := g.writeFlows(t.Context(), "token", messages); err != nil {
				t.Fatal(err)
			}
			if got := g.count(t, "SELECT count() FROM flows"); got != "1500" {
				t.Errorf("%s rows behind a lost insert, want 1500", got)
			}
			g.constrain(t, "flows", "sequence_num != 77")
			if err := g.writeFlows(t.Context(), "bad", []*flow.Batch{numbered(t, 70, 10)}); err == nil {
				t.Error("the refused row is not reported")
			}
			if got := g.count(t, "SELECT count() FROM flows"); got != "1509" {
				t.Errorf("%s rows with all of ten but one, want 1509", got)
			}
		})
	}
}

// Two addresses of one server: what each server has been told is known to the other, as
// with replicas.
func TestAServerThatIsAwayIsPassedOver(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first, second := newGate(t, f.Native), newGate(t, f.Native)
	f.cfg.DSN = "clickhouse://" + clickhousetest.FreeAddress(t) + "," + first.Addr().String() + "," + second.Addr().String()
	w := newWriter(t, f.cfg)
	var logged logs
	w.log = slog.New(slog.NewTextHandler(&logged, nil))
	for i := range 10 {
		if i == 5 {
			first.shut()
		}
		if err := w.writeFlows(t.Context(), "token"+strconv.Itoa(i), []*flow.Batch{numbered(t, i*100, 100)}); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.count(t, "SELECT (count(), uniqExact(sequence_num)) FROM flows"); got != "(1000,1000)" {
		t.Errorf("%s rows and distinct rows, want 1000", got)
	}
	logged.await(t, "table is not replicated")
	if w.server != 2 {
		t.Errorf("ended at server %d, want the last", w.server)
	}
}

func TestADatabaseOfAnotherVersionIsRecognised(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	known, err := migrations.Latest()
	if err != nil {
		t.Fatal(err)
	}
	await := func(version uint32) (*logs, chan error) {
		logged, done := new(logs), make(chan error, 1)
		f.log, f.writer.cfg.Migration = slog.New(slog.NewTextHandler(logged, nil)), version
		go func() { done <- f.awaitSchema(t.Context()) }()
		return logged, done
	}
	logged, done := await(known)
	if err := <-done; err != nil || logged.lines() != 0 {
		t.Errorf("of this version: %v %s", err, logged.text())
	}
	logged, done = await(known - 1)
	if err := <-done; err != nil || logged.lines() != 1 {
		t.Errorf("newer: %v %s", err, logged.text())
	}
	logged.await(t, "the database was migrated by a newer weir")
	logged, done = await(known + 1)
	logged.await(t, "and this version of weir needs")
	if err := f.conn.Exec(t.Context(), "INSERT INTO schema_migrations SETTINGS async_insert = 0 VALUES (?, 'next', 'x', now())", known+1); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
