// SPDX-License-Identifier: Apache-2.0

package bus

import (
	"errors"
	"os"
	"strings"

	"github.com/nats-io/nats.go"
)

func (c Config) validateUser() error {
	switch {
	case c.User == "" && (c.Password != "" || c.PasswordFile != ""):
		return errors.New("user: is empty and there is a password, want the user of the password")
	case c.Password != "" && c.PasswordFile != "":
		return errors.New("password_file: is given and password too, want one of them")
	case c.User != "" && c.Password == "" && c.PasswordFile == "":
		return errors.New("password: is empty, want the user's password or password_file")
	}
	return nil
}

// login returns how to log in to the server.
func (c Config) login() []nats.Option {
	var opts []nats.Option
	if c.CAFile != "" {
		opts = append(opts, nats.RootCAs(c.CAFile))
	}
	if c.User != "" {
		// A refusal may end: the file may be written, the server told of the user.
		opts = append(opts, nats.IgnoreAuthErrorAbort(),
			nats.UserInfoHandler(func() (user, password string) { return c.User, c.password() }))
	}
	return opts
}

// password returns the password of now. A file that can't be read gives none: the server
// refuses that, and the next try reads it again.
func (c Config) password() string {
	if c.PasswordFile == "" {
		return c.Password
	}
	text, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
