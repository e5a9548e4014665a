//go:build unix

package module

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

func TestCancelKillsTheCompilers(t *testing.T) {
	isolate(t)
	root := checkout(t)
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	// A go command with a child that holds the pipe for as long as it lives.
	script := "#!/bin/sh\ncase $1 in\nenv) shift; for name; do echo value; done ;;\n" +
		"build) touch \"$GOTMPDIR/half\"; sh -c 'exec 3>" + pipe + "; echo building >&3; exec sleep 1000' & wait ;;\nesac\n"
	bin := t.TempDir()
	write(t, filepath.Join(bin, "go"), script)
	if err := os.Chmod(filepath.Join(bin, "go"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))

	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := loadFrom(ctx, root, nil)
		failed <- err
	}()
	held, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()
	r := bufio.NewReader(held)
	if line, err := r.ReadString('\n'); err != nil || line != "building\n" {
		t.Fatalf("the build says %q (%v)", line, err)
	}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want it canceled", err)
	}
	// The pipe ends when the last process that holds it is gone.
	if _, err := io.ReadAll(r); err != nil {
		t.Error(err)
	}
	if left := listed(t, os.TempDir()); len(left) != 0 {
		t.Errorf("left %q behind", left)
	}
}

func TestProgressOnATerminalIsErased(t *testing.T) {
	for _, c := range []struct {
		width uint16
		want  string
	}{
		{80, "building it...\r              \r"},
		{10, "building \r         \r"},
	} {
		screen, tty, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		if err := pty.Setsize(tty, &pty.Winsize{Rows: 24, Cols: c.width}); err != nil {
			t.Fatal(err)
		}
		showProgress(tty, "building it...")()
		got := make([]byte, len(c.want))
		if _, err := io.ReadFull(screen, got); err != nil || string(got) != c.want {
			t.Errorf("%d columns: %q (%v), want %q", c.width, got, err, c.want)
		}
		if strings.Contains(string(got), "\n") {
			t.Errorf("%d columns: %q leaves a line", c.width, got)
		}
		_ = tty.Close()
		_ = screen.Close()
	}
}
