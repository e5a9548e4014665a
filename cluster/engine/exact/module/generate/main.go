// Command generate writes the exact engine as a file that a release build embeds. Run it
// by `go generate ./cluster/engine/exact/module`, then build with `-tags release`.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"

	"capsize/cluster/engine/exact/module"
)

const (
	file    = "engine.wasm.gz"
	sizeMax = 4_000_000 // bytes: the program must stay easy to download
)

func main() {
	if err := generate(); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "generate: %v\n", err)
		os.Exit(1)
	}
}

func generate() error {
	m, err := module.Load(context.Background(), os.Stderr)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(m.Code); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if packed.Len() > sizeMax {
		return fmt.Errorf("the engine takes %d bytes compressed, more than %d", packed.Len(), sizeMax)
	}
	fmt.Printf("%s: version %s, %d bytes, %d compressed\n", file, m.Version, len(m.Code), packed.Len())
	return os.WriteFile(file, packed.Bytes(), 0o644)
}
