package module

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Module is the compiled exact engine.
type Module struct {
	Code    []byte // WebAssembly
	Version string // the first 12 hex digits of the SHA-256 of Code; a canary's end in -canary
}

// wasmHeader is how a module of WebAssembly 1 begins.
const wasmHeader = "\x00asm\x01\x00\x00\x00"

func newModule(code []byte) (Module, error) {
	if !bytes.HasPrefix(code, []byte(wasmHeader)) {
		return Module{}, errors.New("not a WebAssembly module")
	}
	sum := sha256.Sum256(code)
	return Module{Code: code, Version: hex.EncodeToString(sum[:6]) + suffix}, nil
}

// unpack reads a module that was compressed by gzip.
func unpack(packed io.Reader) (Module, error) {
	z, err := gzip.NewReader(packed)
	if err != nil {
		return Module{}, err
	}
	code, err := io.ReadAll(z)
	if err != nil {
		return Module{}, err
	}
	return newModule(code)
}

// Load returns the module of the exact engine. If it has to be built, which takes up to
// a minute, Load says so on progress, which may be nil; the end of ctx ends the build.
// An error is one line that says what to do.
func Load(ctx context.Context, progress io.Writer) (Module, error) {
	if embedded != nil {
		m, err := unpack(bytes.NewReader(embedded))
		if err != nil {
			return m, fmt.Errorf("the exact engine in this program is damaged: %w; install capsize again", err)
		}
		return m, nil
	}
	root, err := findSource()
	if err != nil {
		return Module{}, err
	}
	return loadFrom(ctx, root, progress)
}

// loadFrom is Load for the checkout at root.
func loadFrom(ctx context.Context, root string, progress io.Writer) (Module, error) {
	tools, err := findGo(ctx, root)
	if err != nil {
		return Module{}, fmt.Errorf("cannot build the exact engine: %w", err)
	}
	l := loader{
		key:      func() (string, error) { return sourceKey(root, tools.version) },
		build:    func(ctx context.Context) ([]byte, error) { return tools.build(ctx, root) },
		progress: progress,
	}
	// A user without a cache directory builds the engine for every run.
	if dir, err := cacheDir(); err == nil {
		l.cache = filepath.Join(dir, "modules")
	}
	return l.load(ctx)
}

// loader keeps the modules of a source in a cache.
type loader struct {
	cache    string                                    // the directory; "" for none
	key      func() (string, error)                    // names the present state of the source
	build    func(ctx context.Context) ([]byte, error) // builds the present state of the source
	progress io.Writer                                 // nil for none
}

func (l loader) load(ctx context.Context) (Module, error) {
	key, err := l.key()
	if err != nil {
		return Module{}, fmt.Errorf("cannot read the source of the exact engine: %w", err)
	}
	if l.cache != "" {
		if m, err := readEntry(l.entry(key)); err == nil {
			return m, nil
		}
	}
	m, unkept, err := l.buildAndKeep(ctx, key)
	if err != nil {
		return Module{}, err
	}
	if unkept != nil && l.progress != nil {
		_, _ = fmt.Fprintf(l.progress, "cannot keep the exact engine, so every exact run builds it again: %v\n", unkept)
	}
	return m, nil
}

// buildAndKeep builds the module and adds it to the cache. unkept says why it could not
// be added, which harms nothing but the next start.
func (l loader) buildAndKeep(ctx context.Context, key string) (m Module, unkept, err error) {
	erase := showProgress(l.progress, "building the exact engine, once for this version of the source (up to a minute)...")
	defer erase()
	code, err := l.build(ctx)
	switch {
	case ctx.Err() != nil:
		return m, nil, fmt.Errorf("building the exact engine: %w", context.Cause(ctx))
	case errors.Is(err, errNoGo):
		return m, nil, err
	case err != nil:
		return m, nil, fmt.Errorf("cannot build the exact engine: %w", err)
	}
	if m, err = newModule(code); err != nil {
		return m, nil, fmt.Errorf("cannot build the exact engine: the result is %w", err)
	}
	// A source that was edited during the build is no longer the one that key names.
	if now, err := l.key(); l.cache == "" || err != nil || now != key {
		return m, nil, nil
	}
	return m, writeEntry(l.entry(key), m.Code), nil
}

// entry returns the file of a module in the cache.
func (l loader) entry(key string) string { return filepath.Join(l.cache, key+".wasm.gz") }

// CompilationCacheDir returns the directory in which wazero may keep the machine code
// of this module, and creates it. The directory is the module's own: if wazero finds
// its content damaged, remove it as a whole. The machine code of old modules is removed.
func (m Module) CompilationCacheDir() (string, error) {
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	all := filepath.Join(dir, "machine-code")
	own := filepath.Join(all, m.Version)
	if err := os.MkdirAll(own, 0o700); err != nil {
		return "", err
	}
	touch(own)
	prune(all, keptMachineCode, time.Now())
	return own, nil
}
