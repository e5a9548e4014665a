package module

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// errNoGo reports that the engine has to be built and cannot be.
var errNoGo = errors.New("exact runs need Go to build their engine, and PATH has no go command: install Go from https://go.dev/dl, or use a release build")

// buildArgs make a build of the same source the same on every machine, and small. A canary builds
// a canary, whose version never passes for that of the true engine.
var buildArgs = []string{"build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-tags=" + tags}

// buildEnv holds each setting of the go command that changes what is built. Those of the
// user do not count, whether they are in the environment or written by `go env -w`.
var buildEnv = []string{
	"GOOS=wasip1", "GOARCH=wasm", "GOWASM=", "CGO_ENABLED=0",
	"GOENV=off", "GOFLAGS=", "GOEXPERIMENT=", "GODEBUG=", "GOFIPS140=off", "GOWORK=off", "GO111MODULE=on",
}

// keptSettings say where the go command finds things, which is up to the user. GOENV=off
// would hide those that `go env -w` wrote.
var keptSettings = []string{
	"GOCACHE", "GOCACHEPROG", "GOMODCACHE", "GOPATH", "GOTOOLCHAIN",
	"GOPROXY", "GONOPROXY", "GOPRIVATE", "GOSUMDB", "GONOSUMDB", "GOINSECURE", "GOVCS", "GOAUTH",
}

// toolchain is the Go of the user.
type toolchain struct {
	path    string   // of the go command; "" for none
	version string   // as in "go1.26.8"
	env     []string // of the go command
}

// findGo finds the go command. If there is none, the result has the version of Go that
// built this program, since its engine may be in the cache, and cannot build.
func findGo(ctx context.Context, root string) (toolchain, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return toolchain{version: runtime.Version()}, nil
	}
	t := toolchain{path: path, env: append(os.Environ(), buildEnv...)}
	t.env = append(t.env, "GOENV="+os.Getenv("GOENV"))
	out, err := t.run(ctx, root, append([]string{"env", "GOVERSION"}, keptSettings...)...)
	if err != nil {
		return t, err
	}
	values := strings.Split(strings.ReplaceAll(out, "\r\n", "\n"), "\n")
	if len(values) <= len(keptSettings) {
		return t, fmt.Errorf("%s env: unexpected output", path)
	}
	t.version = values[0]
	t.env = append(os.Environ(), buildEnv...)
	for i, name := range keptSettings {
		// Without a home directory the go command calls its cache off, and explains more
		// of it in a build if that was not asked for.
		if name == "GOCACHE" && values[i+1] == "off" {
			continue
		}
		t.env = append(t.env, name+"="+values[i+1])
	}
	return t, nil
}

// build builds the guest of a checkout. It leaves no files behind.
func (t toolchain) build(ctx context.Context, root string) (code []byte, err error) {
	if t.path == "" {
		return nil, errNoGo
	}
	dir, err := os.MkdirTemp("", "capsize-engine-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// The go command cannot clean up after itself when it is killed.
	t.env = append(slices.Clip(t.env), "GOTMPDIR="+dir)
	name := filepath.Join(dir, "engine.wasm")
	if _, err := t.run(ctx, root, append(slices.Clip(buildArgs), "-o", name, "./"+guestPackage)...); err != nil {
		return nil, err
	}
	return os.ReadFile(name)
}

// run runs the go command in a directory and returns what it prints.
func (t toolchain) run(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, t.path, args...)
	cmd.Dir, cmd.Env = dir, t.env
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	killWithChildren(cmd)
	// A compiler that outlives the go command must not keep its pipes open.
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if line := firstMessage(messages.String()); line != "" {
			err = errors.New(line)
		}
		return "", err
	}
	return out.String(), nil
}

// firstMessage returns the first line of the go command's messages that tells what is
// wrong, "" if there is none.
func firstMessage(messages string) string {
	for line := range strings.Lines(messages) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "# ") && !strings.HasPrefix(line, "go: downloading ") {
			return line
		}
	}
	return ""
}
