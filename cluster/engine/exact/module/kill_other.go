//go:build !unix

package module

import "os/exec"

// killWithChildren leaves the default: the end of the command's context kills the go
// command, and its compilers end by themselves.
func killWithChildren(*exec.Cmd) {}
