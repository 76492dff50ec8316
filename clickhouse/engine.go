// SPDX-License-Identifier: Apache-2.0

//go:build !noengine

package clickhouse

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// session runs the engine's local mode with a command line and returns when it ends.
func session(engine string, args []string) error {
	lib, err := purego.Dlopen(engine, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return fmt.Errorf("load engine: %w", err)
	}
	var cmdline func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	var resultError func(result unsafe.Pointer) string
	purego.RegisterLibFunc(&cmdline, lib, "chdb_query_cmdline")
	purego.RegisterLibFunc(&resultError, lib, "chdb_result_error")
	var handleSignals func(enabled bool)
	purego.RegisterLibFunc(&handleSignals, lib, "chdb_set_signal_handlers_enabled")
	// The engine's own handlers take seconds to describe a crash in which nobody
	// can be served: without them the next start comes at once.
	handleSignals(false)

	argv := make([]*byte, len(args)+1) // ends in nil, as in C
	for i, a := range args {
		argv[i] = &append([]byte(a), 0)[0]
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	for _, a := range argv[:len(args)] {
		pin.Pin(a)
	}
	result := cmdline(int32(len(args)), unsafe.Pointer(&argv[0]))
	if result == nil {
		return errors.New("the engine returned nothing")
	}
	if msg := resultError(result); msg != "" {
		return errors.New(msg)
	}
	return nil
}
