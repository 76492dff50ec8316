// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/netip"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirflow/weir/services/probe/internal/model"
)

// Service measures packets and exports flows.
type Service struct {
	cfg  Config
	plan model.Plan
	log  *slog.Logger
	m    *metrics
}

// New checks cfg and prepares a Service. It reads the model, if one is named, and does no
// other I/O.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	plan, err := cfg.plan()
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	return &Service{cfg: cfg, plan: plan, log: log, m: newMetrics(reg)}, nil
}

// Run measures until ctx ends or the files do, and then exports the flows that it has. A
// clean stop returns nil.
func (s *Service) Run(ctx context.Context) error {
	links, err := s.dial(ctx)
	defer func() {
		for _, l := range links {
			l.close()
		}
	}()
	if err != nil {
		return err
	}
	files := 0
	for _, p := range s.plan.Points {
		if p.File != "" {
			files++
		}
	}
	switch files {
	case 0:
		return s.live(ctx, links)
	case len(s.plan.Points):
		return s.replay(ctx, links)
	}
	return fmt.Errorf("observation points: want interfaces or files, not both")
}

func (s *Service) dial(ctx context.Context) ([]*link, error) {
	security, err := s.security()
	if err != nil {
		return nil, err
	}
	var links []*link
	for _, d := range s.plan.Destinations {
		l, err := dial(ctx, d, security, s.m, s.log)
		if err != nil {
			return links, err
		}
		if s.cfg.Agent != "" {
			if l.agent, err = netip.ParseAddr(s.cfg.Agent); err != nil {
				return append(links, l), fmt.Errorf("agent: %w", err)
			}
		}
		links = append(links, l)
	}
	return links, nil
}

// security reads the files of tls_*.
func (s *Service) security() (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.cfg.TLSCA != "" {
		pem, err := os.ReadFile(s.cfg.TLSCA)
		if err != nil {
			return nil, fmt.Errorf("tls_ca: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls_ca: %s has no certificate", s.cfg.TLSCA)
		}
	}
	if s.cfg.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(s.cfg.TLSCert, s.cfg.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("tls_cert: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}
