//go:build wasip1

// Guest is the exact engine as a WebAssembly module: the cluster in its bubble, driven by
// package exact through a few functions. The host gives it time and chance, and nothing
// else reaches it. It has one thread: between two calls of an exported function the whole
// cluster is memory, and a few globals, that stand still.
package main

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"unsafe"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/engine/exact/wire"
	"capsize/cluster/trace"
	"capsize/cluster/trace/recording"
)

// main is never called: the module is a library.
func main() {}

var running *engine.Native

// start opens the cluster of a [wire.Config], of size bytes.
//
//go:wasmexport start
func start(size int32) {
	// A run leaves much garbage and holds little memory.
	debug.SetGCPercent(wire.GCPercent)
	var cfg wire.Config
	if err := json.Unmarshal(input(size), &cfg); err != nil {
		fail(fmt.Errorf("reading the configuration: %w", err))
		return
	}
	lines := recording.NewLines(func(line []byte) { hostEvent(unsafe.Pointer(unsafe.SliceData(line)), int32(len(line))) })
	n, err := engine.Open(cluster.Config{Nodes: cfg.Nodes, Settings: cfg.Settings, Sink: lines, InlineChecks: true}, engine.Options{Attended: cfg.Attended})
	if err != nil {
		fail(err)
		return
	}
	n.Stage().Mirror(remoteStage{})
	running = n
}

// tick lets virtual time pass until it is a multiple of [wire.Tick].
//
//go:wasmexport tick
func tick() {
	if err := running.Advance(wire.Tick - running.Now()%wire.Tick); err != nil {
		fail(running.Err())
	}
}

// order starts an [engine.Order] of size bytes, and returns the virtual time after it, in
// nanoseconds. Its answer has the same id.
//
//go:wasmexport order
func order(id, size int32) (now int64) {
	var o engine.Order
	text := input(size)
	running.Emit(trace.Event{Kind: trace.KindOrder, At: running.Now(), Text: string(text)})
	if err := json.Unmarshal(text, &o); err != nil {
		fail(fmt.Errorf("reading an order: %w", err))
		return int64(running.Now())
	}
	running.Submit(o, func(a engine.Answer) {
		text, err := json.Marshal(a)
		if err != nil {
			fail(fmt.Errorf("writing an answer: %w", err))
			return
		}
		hostAnswer(id, unsafe.Pointer(unsafe.SliceData(text)), int32(len(text)))
	})
	return int64(running.Now())
}

// input returns what the host hands over with a call.
func input(size int32) []byte {
	buffer := make([]byte, size)
	hostInput(unsafe.Pointer(unsafe.SliceData(buffer)))
	return buffer
}

// fail reports that the engine cannot go on.
func fail(err error) {
	text := []byte(err.Error())
	hostFail(unsafe.Pointer(unsafe.SliceData(text)), int32(len(text)))
}

// remoteStage passes what a scenario asks of its presenter to the host.
type remoteStage struct{}

func (remoteStage) RequestSpeed(speed float64) { hostSpeed(speed) }

func (remoteStage) Begin(step string) {
	text := []byte(step)
	hostStep(unsafe.Pointer(unsafe.SliceData(text)), int32(len(text)))
}

func (remoteStage) Ask(choices int) { hostAsk(int32(choices)) }

//go:wasmimport capsize input
func hostInput(to unsafe.Pointer)

//go:wasmimport capsize event
func hostEvent(line unsafe.Pointer, size int32)

//go:wasmimport capsize answer
func hostAnswer(id int32, text unsafe.Pointer, size int32)

//go:wasmimport capsize fail
func hostFail(text unsafe.Pointer, size int32)

//go:wasmimport capsize speed
func hostSpeed(speed float64)

//go:wasmimport capsize step
func hostStep(text unsafe.Pointer, size int32)

//go:wasmimport capsize ask
func hostAsk(choices int32)
