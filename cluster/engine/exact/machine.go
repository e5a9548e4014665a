package exact

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"capsize/cluster/engine/exact/module"
)

// memoryPages limits the memory of a guest, in pages of 64 KB: 1 GB.
const memoryPages = 1 << 14

// Program is the engine's module, compiled for this machine. All engines of a process share it.
type Program struct {
	clockStep int64 // by how much, in nanoseconds, a reading moves a guest's clock
	runtime   wazero.Runtime
	compiled  wazero.CompiledModule
	version   string
}

// host receives the calls of a guest. They come on the goroutine that calls the guest.
type host interface {
	input() []byte // what the guest takes in the present call
	event(line []byte)
	answer(id int32, text []byte)
	fail(text string)
	speed(float64)
	step(text string)
	ask(choices int)
}

// Load returns the program. It shows on progress, which may be nil, that the module must be built
// first. The error is one line that says what to do.
func Load(ctx context.Context, progress io.Writer) (*Program, error) {
	m, err := module.Load(ctx, progress)
	if err != nil {
		return nil, err
	}
	var p *Program
	dir, err := m.CompilationCacheDir()
	if err == nil {
		p, err = compileCached(ctx, m, dir)
	}
	if err != nil { // there is no cache, or its machine code is damaged
		if dir != "" {
			_ = os.RemoveAll(dir) // the next run tries again
		}
		p, err = compile(ctx, m, wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryPages))
	}
	if err != nil {
		return nil, fmt.Errorf("the exact engine cannot be compiled: %w", err)
	}
	return p, nil
}

// Version names the engine: runs of one version repeat each other.
func (p *Program) Version() string { return p.version }

// Close frees the machine code. No engine of the program may run.
func (p *Program) Close() error { return p.runtime.Close(context.Background()) }

// compile prepares the module for a runtime.
func compile(ctx context.Context, m module.Module, cfg wazero.RuntimeConfig) (*Program, error) {
	r := wazero.NewRuntimeWithConfig(ctx, cfg)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	if err := provide(ctx, r); err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	code, err := exportGlobals(m.Code)
	if err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	compiled, err := r.CompileModule(ctx, code)
	if err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	return &Program{clockStep: clockStep, runtime: r, compiled: compiled, version: m.Version}, nil
}

// hostKey is the key of the host in the context of a call.
type hostKey struct{}

// provide defines the functions that guests import.
func provide(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder("capsize")
	function := func(name string, parameters []api.ValueType, f func(h host, m api.Module, stack []uint64)) {
		b = b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, m api.Module, stack []uint64) {
			f(ctx.Value(hostKey{}).(host), m, stack)
		}), parameters, nil).Export(name)
	}
	const i32, f64 = api.ValueTypeI32, api.ValueTypeF64
	bytes := func(m api.Module, at, size uint64) []byte {
		view, _ := m.Memory().Read(uint32(at), uint32(size)) // the guest passes its own memory
		return view
	}
	function("input", []api.ValueType{i32}, func(h host, m api.Module, stack []uint64) {
		m.Memory().Write(uint32(stack[0]), h.input())
	})
	function("event", []api.ValueType{i32, i32}, func(h host, m api.Module, stack []uint64) { h.event(bytes(m, stack[0], stack[1])) })
	function("answer", []api.ValueType{i32, i32, i32}, func(h host, m api.Module, stack []uint64) {
		h.answer(api.DecodeI32(stack[0]), bytes(m, stack[1], stack[2]))
	})
	function("fail", []api.ValueType{i32, i32}, func(h host, m api.Module, stack []uint64) { h.fail(string(bytes(m, stack[0], stack[1]))) })
	function("speed", []api.ValueType{f64}, func(h host, _ api.Module, stack []uint64) { h.speed(api.DecodeF64(stack[0])) })
	function("step", []api.ValueType{i32, i32}, func(h host, m api.Module, stack []uint64) { h.step(string(bytes(m, stack[0], stack[1]))) })
	function("ask", []api.ValueType{i32}, func(h host, _ api.Module, stack []uint64) { h.ask(int(api.DecodeI32(stack[0]))) })
	_, err := b.Instantiate(ctx)
	return err
}

// machine is one guest with its clock and its chance.
type machine struct {
	ctx    context.Context
	module api.Module
	step   int64 // by which a reading moves the clock
	clock  int64 // nanoseconds
	chance *rand.ChaCha8
	stderr tail

	start, tick, order api.Function // see package guest
}

// instantiate makes a guest whose chance comes from a seed, and which calls a host.
func (p *Program) instantiate(seed int64, h host) (*machine, error) {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], uint64(seed))
	m := &machine{step: p.clockStep, ctx: context.WithValue(context.Background(), hostKey{}, h), chance: rand.NewChaCha8(key)}
	cfg := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize").
		WithRandSource(m.chance).WithStderr(&m.stderr).
		WithNanotime(m.read, sys.ClockResolution(clockStep)).
		WithWalltime(func() (int64, int32) {
			now := m.read()
			return now / 1e9, int32(now % 1e9)
		}, sys.ClockResolution(clockStep))
	var err error
	if m.module, err = p.runtime.InstantiateModule(m.ctx, p.compiled, cfg); err != nil {
		return nil, m.explain(err)
	}
	m.start, m.tick, m.order = m.module.ExportedFunction("start"), m.module.ExportedFunction("tick"), m.module.ExportedFunction("order")
	return m, nil
}

// clockStep is how much real time passes for a guest with each reading, in nanoseconds. Nothing
// depends on it.
const clockStep = 1000

// read returns the time of the guest's clock.
func (m *machine) read() int64 {
	m.clock += m.step
	return m.clock
}

// call calls a function of the guest, and returns its results. The error is one line.
func (m *machine) call(f api.Function, parameters ...uint64) ([]uint64, error) {
	results, err := f.Call(m.ctx, parameters...)
	if err != nil {
		return nil, m.explain(err)
	}
	return results, nil
}

// explain says in one line why a guest has ended.
func (m *machine) explain(err error) error {
	line := strings.TrimSpace(m.stderr.first())
	if line == "" {
		line, _, _ = strings.Cut(err.Error(), "\n")
	}
	if strings.Contains(line, "out of memory") {
		line = fmt.Sprintf("it needs more than %d MB of memory", memoryPages>>4)
	}
	return errors.New(line)
}

func (m *machine) close() error { return m.module.Close(m.ctx) }

// tail keeps the beginning of what is written to it.
type tail struct{ text []byte }

const tailMax = 1 << 12

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p[:min(len(p), tailMax-len(t.text))]...)
	return len(p), nil
}

// first returns the first line.
func (t *tail) first() string {
	line, _, _ := strings.Cut(string(t.text), "\n")
	return line
}
