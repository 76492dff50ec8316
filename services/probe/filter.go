// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/weirflow/weir/services/probe/internal/model"
	"github.com/weirflow/weir/services/probe/internal/packet"
)

// linkNames are tcpdump's names of the link types that the probe reads.
var linkNames = map[uint32]string{
	packet.LinkNull: "NULL", packet.LinkEthernet: "EN10MB", packet.LinkRaw: "RAW", packet.LinkLoop: "LOOP",
	packet.LinkSLL: "LINUX_SLL", packet.LinkIPv4: "IPV4", packet.LinkIPv6: "IPV6", packet.LinkSLL2: "LINUX_SLL2",
}

// maxProgram is what the kernel takes (BPF_MAXINSNS).
const maxProgram = 4096

// filterProgram compiles an expression of pcap-filter(7). It has tcpdump do that: the language is
// libpcap's, and which packets it means depends on the interface (its link type, and whether VLAN
// tags are beside the frame). from is `-i interface` or `-y link type`. A text that begins with a digit and
// has only numbers is a program already, as tcpdump -ddd prints it.
func filterProgram(ctx context.Context, expression string, snap int, from ...string) ([]bpf.RawInstruction, error) {
	if numbers := strings.FieldsFunc(expression, func(r rune) bool { return strings.ContainsRune(" ,\n\t", r) }); isProgram(numbers) {
		return parseProgram(numbers)
	}
	args := append([]string{"-ddd", "-s", strconv.Itoa(snap)}, from...)
	cmd := exec.CommandContext(ctx, "tcpdump", append(args, "--", expression)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("tcpdump, which compiles expressions, is not installed; install it, or set what `tcpdump -ddd` prints elsewhere")
	case err != nil:
		return nil, fmt.Errorf("%q: %s", expression, strings.TrimSpace(said.String()))
	}
	return parseProgram(strings.Fields(string(out)))
}

// isProgram tells a program from an expression such as 10.0.0.1, which has more than digits.
func isProgram(numbers []string) bool {
	for _, n := range numbers {
		if _, err := strconv.ParseUint(n, 10, 32); err != nil {
			return false
		}
	}
	return len(numbers) > 1
}

// parseProgram reads the number of instructions, then opcode, jumps and operand of each.
func parseProgram(numbers []string) ([]bpf.RawInstruction, error) {
	n, err := strconv.Atoi(numbers[0])
	if err != nil || n < 1 || n > maxProgram || len(numbers) != 1+4*n {
		return nil, fmt.Errorf("program of %s instructions and %d numbers: want 4 numbers for each of 1 to %d instructions", numbers[0], len(numbers)-1, maxProgram)
	}
	program := make([]bpf.RawInstruction, n)
	for i := range program {
		var v [4]uint64
		for j, bits := range []int{16, 8, 8, 32} {
			if v[j], err = strconv.ParseUint(numbers[1+4*i+j], 10, bits); err != nil {
				return nil, fmt.Errorf("instruction %d of the program: %w", i+1, err)
			}
		}
		program[i] = bpf.RawInstruction{Op: uint16(v[0]), Jt: uint8(v[1]), Jf: uint8(v[2]), K: uint32(v[3])}
	}
	return program, nil
}

// checkFilter tells whether an expression can be compiled, for an Ethernet interface.
func checkFilter(where, expression string) error {
	if expression == "" {
		return nil
	}
	_, err := filterProgram(context.Background(), expression, model.DefaultSnap, "-y", linkNames[packet.LinkEthernet])
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	return nil
}

// attach has the kernel run program for each packet of a socket. The value that it returns is
// how many octets of the packet are kept.
func attach(fd int, program []bpf.RawInstruction) error {
	filter := make([]unix.SockFilter, len(program))
	for i, p := range program {
		filter[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	if err != nil {
		return fmt.Errorf("setsockopt SO_ATTACH_FILTER: %w", err)
	}
	return nil
}

// fileFilter filters the packets of files, which may have several link types.
type fileFilter struct {
	expression string
	machines   map[uint32]*bpf.VM
}

// takes tells whether a packet passes. Without an expression all do.
func (f *fileFilter) takes(ctx context.Context, data []byte, link uint32) (bool, error) {
	if f.expression == "" {
		return true, nil
	}
	vm := f.machines[link]
	if vm == nil {
		var err error
		if vm, err = newMachine(ctx, f.expression, link); err != nil {
			return false, fmt.Errorf("filter: %w", err)
		}
		if f.machines == nil {
			f.machines = map[uint32]*bpf.VM{}
		}
		f.machines[link] = vm
	}
	kept, err := vm.Run(data)
	return err == nil && kept > 0, nil // what a program does not find in a packet refuses it
}

func newMachine(ctx context.Context, expression string, link uint32) (*bpf.VM, error) {
	name, ok := linkNames[link]
	if !ok {
		return nil, fmt.Errorf("link type %d is none that the probe reads", link)
	}
	raw, err := filterProgram(ctx, expression, 65535, "-y", name)
	if err != nil {
		return nil, err
	}
	program, ok := bpf.Disassemble(raw)
	if !ok {
		return nil, fmt.Errorf("%q: the program has instructions that are for live capture only", expression)
	}
	return bpf.NewVM(program)
}
