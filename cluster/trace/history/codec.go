package history

import (
	"encoding/binary"
	"math"

	"capsize/cluster/trace"
)

// deltaCodec encodes values or decodes them. Each type is described once, for both
// directions: its description calls the same methods to write as to read. The bytes never
// leave the program, so they carry no version and are not validated.
//
// Values come in groups. A group starts with one bit for each of its values, in order; a
// zero value is nothing but its bit. A number is written as the difference from an earlier
// one of its kind where that is likely to be small.
type deltaCodec struct {
	buf     []byte
	at      int // the next byte of buf to read
	reading bool
	names   []string     // the strings of the table, for reading
	table   *stringTable // for writing
	group   group
	last    last
	packet  *trace.Packet // to read packets to; nil allocates each
	packets *[SimilarSlots]trace.Packet
}

// SimilarSlots is how many packets are remembered to write others as the difference from
// them.
const SimilarSlots = 1 << 7

// group is the group being written or read.
type group struct {
	bits  bits
	at    int // the offset of the bits in buf
	bytes int // the size of the bits
}

// bits holds one bit for each value of a group.
type bits uint64

// firstBit is the bit of a group's first value.
const firstBit bits = 1

// next returns the bit of the present value and advances to the next one.
func (b *bits) next() bits {
	this := *b
	*b <<= 1
	return this
}

// last holds the number of each kind that was written last.
type last struct {
	seq, at                           uint64
	packet, rpc                       uint64
	term, index, value, op, opSeq, ns uint64
}

// begin starts a group whose bits take that many bytes, and returns the enclosing one.
func (c *deltaCodec) begin(bytes int) (outer group) {
	outer = c.group
	c.group = group{bytes: bytes}
	var room [8]byte
	if c.reading {
		copy(room[:], c.buf[c.at:c.at+bytes])
		c.group.bits = bits(binary.LittleEndian.Uint64(room[:]))
		c.at += bytes
	} else {
		c.group.at = len(c.buf)
		c.buf = append(c.buf, room[:bytes]...)
	}
	return outer
}

// end ends the group and continues with the enclosing one.
func (c *deltaCodec) end(outer group) {
	if !c.reading {
		var room [8]byte
		binary.LittleEndian.PutUint64(room[:], uint64(c.group.bits))
		copy(c.buf[c.group.at:], room[:c.group.bytes])
	}
	c.group = outer
}

// has reports whether a value is present. Writing, it sets the value's bit; reading, it
// returns the bit and ignores present.
func (c *deltaCodec) has(bit bits, present bool) bool {
	if c.reading {
		return c.group.bits&bit != 0
	}
	if present {
		c.group.bits |= bit
	}
	return present
}

// write writes a number as a varint, seven bits a byte.
func (c *deltaCodec) write(n uint64) {
	if n < 0x80 {
		c.buf = append(c.buf, byte(n))
		return
	}
	c.buf = binary.AppendUvarint(c.buf, n)
}

func (c *deltaCodec) read() uint64 {
	if b := c.buf[c.at]; b < 0x80 {
		c.at++
		return uint64(b)
	}
	n, size := binary.Uvarint(c.buf[c.at:])
	c.at += size
	return n
}

// zigzag maps numbers near zero, of either sign, to small ones.
func zigzag(n uint64) uint64 { return n<<1 ^ uint64(int64(n)>>63) }

func unzigzag(n uint64) uint64 { return n>>1 ^ -(n & 1) }

type integer interface{ ~int | ~int64 | ~uint64 }

// number describes a number that is likely to be small.
func number[T integer](c *deltaCodec, bit bits, p *T) {
	if c.has(bit, *p != 0) {
		if c.reading {
			*p = T(unzigzag(c.read()))
		} else {
			c.write(zigzag(uint64(*p)))
		}
	}
}

// near describes a number that is likely to be near the last one of its kind.
func near[T integer](c *deltaCodec, bit bits, p *T, last *uint64) {
	if c.has(bit, *p != 0) {
		nearby(c, p, last)
	}
}

// nearby is near for a number that is known to be present.
func nearby[T integer](c *deltaCodec, p *T, last *uint64) {
	if c.reading {
		*last += unzigzag(c.read())
		*p = T(*last)
	} else {
		c.write(zigzag(uint64(*p) - *last))
		*last = uint64(*p)
	}
}

// same describes a number that is likely to equal another one; only a different one is
// written.
func same[T integer](c *deltaCodec, bit bits, p, other *T) {
	if c.has(bit, *p != *other) {
		if c.reading {
			*other += T(unzigzag(c.read()))
		} else {
			c.write(zigzag(uint64(*p - *other)))
			*other = *p
		}
	}
	if c.reading {
		*p = *other
	}
}

// sameName is same for a string of the table.
func sameName[T ~string](c *deltaCodec, bit bits, p, other *T) {
	if c.has(bit, *p != *other) {
		if c.reading {
			*other = T(c.names[c.read()])
		} else {
			c.write(c.table.index(string(*p)))
			*other = *p
		}
	}
	if c.reading {
		*p = *other
	}
}

func (c *deltaCodec) bool(bit bits, p *bool) {
	// Other goroutines may read *p while it is being written out: do not touch it then.
	if is := c.has(bit, *p); c.reading {
		*p = is
	}
}

func (c *deltaCodec) float(bit bits, p *float64) {
	bits := math.Float64bits(*p)
	if c.has(bit, bits != 0) {
		if c.reading {
			bits = binary.LittleEndian.Uint64(c.buf[c.at:])
			c.at += 8
			*p = math.Float64frombits(bits)
		} else {
			c.buf = binary.LittleEndian.AppendUint64(c.buf, bits)
		}
	}
}

// name describes a string that is likely to recur. It is stored in the table.
func name[T ~string](c *deltaCodec, bit bits, p *T) {
	if c.has(bit, *p != "") {
		if c.reading {
			*p = T(c.names[c.read()])
		} else {
			c.write(c.table.index(string(*p)))
		}
	}
}

// text describes a string that is likely to occur once. It is stored in place.
func (c *deltaCodec) text(bit bits, p *string) {
	if c.has(bit, *p != "") {
		if c.reading {
			*p = string(c.bytesRead())
		} else {
			c.write(uint64(len(*p)))
			c.buf = append(c.buf, *p...)
		}
	}
}

func (c *deltaCodec) bytes(bit bits, p *[]byte) {
	if c.has(bit, *p != nil) {
		if c.reading {
			*p = append([]byte{}, c.bytesRead()...)
		} else {
			c.write(uint64(len(*p)))
			c.buf = append(c.buf, *p...)
		}
	}
}

// bytesRead reads a length and returns that many bytes of buf.
func (c *deltaCodec) bytesRead() []byte {
	size := int(c.read())
	c.at += size
	return c.buf[c.at-size : c.at]
}

// list describes a slice; one describes an element.
func list[T any](c *deltaCodec, bit bits, p *[]T, one func(*deltaCodec, *T)) {
	if !c.has(bit, *p != nil) {
		return
	}
	if c.reading {
		*p = make([]T, c.read())
	} else {
		c.write(uint64(len(*p)))
	}
	for i := range *p {
		one(c, &(*p)[i])
	}
}

// dictionary describes a map; one describes a key with its value.
func dictionary[K comparable, V any](c *deltaCodec, bit bits, p *map[K]V, one func(*deltaCodec, *K, *V)) {
	if !c.has(bit, *p != nil) {
		return
	}
	if !c.reading {
		c.write(uint64(len(*p)))
		for k, v := range *p {
			one(c, &k, &v)
		}
		return
	}
	*p = map[K]V{}
	for range c.read() {
		var k K
		var v V
		one(c, &k, &v)
		(*p)[k] = v
	}
}

// stringTable numbers strings and stores each one once.
type stringTable struct {
	all     []string
	numbers map[string]uint64
	// recent caches the latest lookups, hashed by length, first and last byte: a handful
	// of names makes up nearly all of them.
	recent [64]struct {
		name   string
		number uint64
	}
	size int64 // of all, in bytes
}

func (n *stringTable) index(s string) uint64 {
	if s == "" {
		return n.search(s)
	}
	recent := &n.recent[(len(s)*5+int(s[0])+int(s[len(s)-1])*3)%len(n.recent)]
	if recent.name != s {
		recent.name, recent.number = s, n.search(s)
	}
	return recent.number
}

// search is index for a string that is not in recent. It adds a new one.
func (n *stringTable) search(s string) uint64 {
	number, ok := n.numbers[s]
	if !ok {
		if n.numbers == nil {
			n.numbers = map[string]uint64{}
		}
		number = uint64(len(n.all))
		n.numbers[s] = number
		n.all = append(n.all, s)
		n.size += stringBytes + int64(len(s))
	}
	return number
}

// stringBytes is the size of a string's header.
const stringBytes = 16
