// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirflow/weir/daemon"
)

func TestStreamsThatTheVolumeHasNoRoomForAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	free, err := freeBytes(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkDisk(dir, free/2-diskSpare); err != nil {
		t.Errorf("half of the room: %v", err)
	}
	err = checkDisk(dir, 2*free)
	if config := (*daemon.ConfigError)(nil); !errors.As(err, &config) || !strings.Contains(err.Error(), "nats.max_bytes") {
		t.Errorf("twice the room: %v", err)
	}
}

// What the streams have grown to counts as room for them.
func TestWhatStreamsTakeAlreadyIsRoomForThem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "streams"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "streams/b"} {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, 1000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if used, err := usedBytes(dir); err != nil || used != 2000 {
		t.Errorf("%d octets are used, want 2000: %v", used, err)
	}
}
