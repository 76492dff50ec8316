// SPDX-License-Identifier: Apache-2.0

// Package cryptopan encrypts addresses so that two which share their first n bits still
// share exactly n bits: Crypto-PAn of Xu, Fan, Ammar and Moon (ICNP 2002), with AES-128.
// IPv6 addresses are treated as longer ones of the same kind.
package cryptopan

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// KeySize is the octets of a key: one half encrypts, the other makes the padding.
const KeySize = 32

// Cipher encrypts addresses with one key. It is safe for concurrent use.
type Cipher struct {
	block cipher.Block
	pad   [aes.BlockSize]byte
}

// New makes the cipher of a key of KeySize octets.
func New(key []byte) (*Cipher, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("key has %d octets, want %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key[:aes.BlockSize])
	if err != nil {
		return nil, err
	}
	c := &Cipher{block: block}
	block.Encrypt(c.pad[:], key[aes.BlockSize:])
	return c, nil
}

// ParseKey reads a key as hexadecimal digits, with white space around it.
func ParseKey(text []byte) ([]byte, error) {
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != KeySize {
		return nil, errors.New("want 64 hexadecimal digits")
	}
	return key, nil
}

// Encrypt encrypts an address of 4 or 16 octets in place. Bit n of the result is bit n of the
// address, turned over if the encrypted prefix of n bits, padded to a block, begins with a 1.
func (c *Cipher) Encrypt(addr []byte) {
	var result, out [aes.BlockSize]byte
	in := c.pad
	for n := range 8 * len(addr) {
		c.block.Encrypt(out[:], in[:])
		at, bit := n/8, byte(0x80)>>(n%8)
		if out[0]&0x80 != 0 {
			result[at] |= bit
		}
		in[at] = in[at]&^bit | addr[at]&bit
	}
	for i := range addr {
		addr[i] ^= result[i]
	}
}
