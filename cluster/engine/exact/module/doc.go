// Package module provides the WebAssembly module of the exact engine, the guest program
// of cluster/engine/exact/guest.
//
// [Load] takes the first that there is:
//
//  1. The module inside the program, in a release build (embed.go).
//  2. A build of the same source by the same version of Go, kept in the user's cache.
//  3. A new build of this checkout by the Go in PATH, which it then keeps.
//
// The same source and the same version of Go give the same module, byte for byte, on
// every machine: the build leaves out paths and version control, and nothing in the
// environment or in `go env -w` changes it. [Module.Version] names the result.
//
// The cache is safe for several processes at once and needs no lock: an entry is renamed
// into place when it is complete, and an entry that turns out damaged is built again.
package module

//go:generate go run ./generate
