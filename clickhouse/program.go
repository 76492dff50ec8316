// SPDX-License-Identifier: Apache-2.0

package clickhouse

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// The least version of a clickhouse program that Server starts.
const (
	leastMajor = 24
	leastMinor = 8
)

// program is what a Server starts.
type program struct {
	name    string // for people
	argv    []string
	prepare func() error // before each start
}

// program chooses: a clickhouse on the PATH that is new enough, else the engine.
func (s *Server) program(ctx context.Context) (program, error) {
	if path, err := exec.LookPath("clickhouse"); err == nil {
		version, ok := serverVersion(ctx, path)
		if ok {
			return s.binary(path, version)
		}
		s.log.Info("clickhouse on the PATH is not used",
			slog.String("path", path), slog.String("version", version),
			slog.String("wanted", fmt.Sprintf("%d.%d or newer", leastMajor, leastMinor)))
	}
	engine, err := findEngine(s.cfg.Engine)
	if err != nil {
		return program{}, err
	}
	argv := append(append([]string{}, s.host...), ServeConfig{
		Engine: engine, Dir: s.dir, NativeListen: s.cfg.NativeListen, HTTPListen: s.cfg.HTTPListen,
	}.args()...)
	return program{name: "libchdb at " + engine, argv: argv, prepare: func() error { return nil }}, nil // Serve does
}

func (s *Server) binary(path, version string) (program, error) {
	native, err := loopback("clickhouse.native_listen", s.cfg.NativeListen)
	if err != nil {
		return program{}, err
	}
	http, err := loopback("clickhouse.http_listen", s.cfg.HTTPListen)
	if err != nil {
		return program{}, err
	}
	return program{
		name:    "clickhouse " + version + " at " + path,
		argv:    []string{path, "server", "--config-file=" + configPath(s.dir)},
		prepare: func() error { return prepare(s.dir, native, http) },
	}, nil
}

var versionText = regexp.MustCompile(`version (\d+)\.(\d+)(?:\.\d+)*`)

// serverVersion asks a clickhouse program for its version and says whether it will
// do. Packages split the program differently, so the server part is asked: it may be
// missing.
func serverVersion(ctx context.Context, path string) (version string, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "server", "--version").CombinedOutput()
	m := versionText.FindSubmatch(out)
	if err != nil || m == nil {
		return "unknown", false
	}
	major, _ := strconv.Atoi(string(m[1]))
	minor, _ := strconv.Atoi(string(m[2]))
	return string(m[0][len("version "):]), major > leastMajor || major == leastMajor && minor >= leastMinor
}

// engineInCache is where npm puts the engine under the user's cache folder.
const engineInCache = "weir/engine/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"

// findEngine returns the path of libchdb.so: the given one or that of the user's cache.
func findEngine(given string) (string, error) {
	path := given
	if path == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("look for libchdb.so: %w", err)
		}
		path = filepath.Join(cache, filepath.FromSlash(engineInCache))
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("no ClickHouse: none given (clickhouse.dsn), no usable clickhouse program on the PATH, "+
			"no engine at %s (clickhouse.engine): `make engine` fetches it", path)
	}
	return path, nil
}
