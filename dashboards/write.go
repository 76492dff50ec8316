// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// all are the dashboards in the order of their questions.
func all() []dashboard {
	return []dashboard{
		overview(), talkers(), oneHost(), geography(), interfaces(), ports(), nat(), drops(),
		exporters(), pipeline(),
	}
}

// Write writes all files under the root of the repository.
func Write(root string) error {
	for _, d := range all() {
		text, err := encode(d)
		if err != nil {
			return fmt.Errorf("dashboard %s: %w", d.UID, err)
		}
		if err := write(root, "dashboards/"+strings.TrimPrefix(d.UID, "weir-")+".json", text); err != nil {
			return err
		}
	}
	text, err := provisioned()
	if err != nil {
		return fmt.Errorf("alert rules: %w", err)
	}
	return write(root, "deploy/compose/grafana/alerts.yaml", text)
}

func write(root, path string, text []byte) error {
	return os.WriteFile(filepath.Join(root, filepath.FromSlash(path)), text, 0o644) //nolint:gosec // for all to read
}

// encode writes JSON that people can read: indented, and < and > as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}
