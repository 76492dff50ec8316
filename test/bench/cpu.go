// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cpuTimes is the CPU time that processes have used, user and system.
type cpuTimes struct {
	weir, clickhouse, self time.Duration
}

func (c cpuTimes) since(before cpuTimes) cpuTimes {
	return cpuTimes{c.weir - before.weir, c.clickhouse - before.clickhouse, c.self - before.self}
}

// cpu reads the times of weir up, its child, and this process.
func (w *weir) cpu() cpuTimes {
	var c cpuTimes
	paths, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is right
	for _, path := range paths {
		pid, parent, used, ok := readStat(path)
		switch {
		case !ok:
		case pid == w.cmd.Process.Pid:
			c.weir += used
		case parent == w.cmd.Process.Pid:
			c.clickhouse += used
		case pid == os.Getpid():
			c.self += used
		}
	}
	return c
}

// clockTick is the unit of CPU times in /proc, USER_HZ.
const clockTick = 10 * time.Millisecond

// readStat reads /proc/PID/stat (proc_pid_stat(5)): fields 1 pid, 4 parent, 14 user and
// 15 system time. ok is false for a process that has gone.
func readStat(path string) (pid, parent int, used time.Duration, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, 0, false
	}
	// Field 2 is the name in parentheses and may hold spaces.
	before, after, found := strings.Cut(string(text), "(")
	end := strings.LastIndex(after, ")")
	if !found || end < 0 {
		return 0, 0, 0, false
	}
	fields := strings.Fields(after[end+1:]) // from field 3 on
	if len(fields) < 13 {
		return 0, 0, 0, false
	}
	numbers := make([]int, 4)
	for i, text := range []string{strings.TrimSpace(before), fields[1], fields[11], fields[12]} {
		if numbers[i], err = strconv.Atoi(text); err != nil {
			return 0, 0, 0, false
		}
	}
	return numbers[0], numbers[1], time.Duration(numbers[2]+numbers[3]) * clockTick, true
}
