package exact

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero/api"
)

// Sections of a WebAssembly module (WebAssembly core specification, 5.5).
const (
	sectionGlobal = 6
	sectionExport = 7

	headerBytes  = 8 // magic number and version
	kindGlobal   = 3 // of an export
	globalPrefix = "capsize-global-"
)

// exportGlobals adds to the exports of a module all the global variables that it declares. A guest
// between two calls is its memory and these: Go keeps its stack pointer and its goroutine there.
// The module must import no globals, and Go's do not.
func exportGlobals(code []byte) ([]byte, error) {
	out := append([]byte{}, code[:min(headerBytes, len(code))]...)
	globals := uint64(0)
	for rest := code[len(out):]; len(rest) > 0; {
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || size > uint64(len(rest)-1-n) {
			return nil, errors.New("the module is cut off")
		}
		section := rest[1+n : 1+n+int(size)]
		switch rest[0] {
		case sectionGlobal:
			globals, _ = binary.Uvarint(section)
		case sectionExport:
			section = addExports(section, globals)
		}
		out = append(out, rest[0])
		out = binary.AppendUvarint(out, uint64(len(section)))
		out = append(out, section...)
		rest = rest[1+n+int(size):]
	}
	return out, nil
}

// addExports adds the exports of globals to a section.
func addExports(section []byte, globals uint64) []byte {
	count, n := binary.Uvarint(section)
	out := binary.AppendUvarint(nil, count+globals)
	out = append(out, section[n:]...)
	for i := range globals {
		name := fmt.Sprint(globalPrefix, i)
		out = binary.AppendUvarint(out, uint64(len(name)))
		out = append(out, name...)
		out = append(out, kindGlobal)
		out = binary.AppendUvarint(out, i)
	}
	return out
}

// globalsOf returns the globals that can change.
func globalsOf(m api.Module) (all []api.MutableGlobal) {
	for i := 0; ; i++ {
		g := m.ExportedGlobal(fmt.Sprint(globalPrefix, i))
		if g == nil {
			return all
		}
		if g, ok := g.(api.MutableGlobal); ok {
			all = append(all, g)
		}
	}
}
