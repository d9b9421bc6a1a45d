package torii

// #include "shim.h"
import "C"

import (
	"sync"
	"time"
	"unsafe"
)

// A record is the header of torii_record_t: of a result in memory of Go's, followed by its texts.
type record struct {
	size, headerSize    uint32
	flags, _            uint32
	issuedAt, expiresAt int64
	userID              span
	environmentID       span
	issuer              span
	locale              span
	organizationID      span
	organizationRole    span
	actorID             span
	claimsJSON          span
}

// A span is a text in a record. Offset 0 means absent.
type span struct{ offset, len uint32 }

// The layout is that of the header: an index other than 0 does not compile.
var (
	_ = [1]int{}[unsafe.Sizeof(record{})-unsafe.Sizeof(C.torii_record_t{})]
	_ = [1]int{}[unsafe.Sizeof(span{})-unsafe.Sizeof(C.torii_span_t{})]
	_ = [1]int{}[unsafe.Offsetof(record{}.headerSize)-unsafe.Offsetof(C.torii_record_t{}.header_size)]
	_ = [1]int{}[unsafe.Offsetof(record{}.flags)-unsafe.Offsetof(C.torii_record_t{}.flags)]
	_ = [1]int{}[unsafe.Offsetof(record{}.issuedAt)-unsafe.Offsetof(C.torii_record_t{}.issued_at)]
	_ = [1]int{}[unsafe.Offsetof(record{}.expiresAt)-unsafe.Offsetof(C.torii_record_t{}.expires_at)]
	_ = [1]int{}[unsafe.Offsetof(record{}.userID)-unsafe.Offsetof(C.torii_record_t{}.user_id)]
	_ = [1]int{}[unsafe.Offsetof(record{}.environmentID)-unsafe.Offsetof(C.torii_record_t{}.environment_id)]
	_ = [1]int{}[unsafe.Offsetof(record{}.issuer)-unsafe.Offsetof(C.torii_record_t{}.issuer)]
	_ = [1]int{}[unsafe.Offsetof(record{}.locale)-unsafe.Offsetof(C.torii_record_t{}.locale)]
	_ = [1]int{}[unsafe.Offsetof(record{}.organizationID)-unsafe.Offsetof(C.torii_record_t{}.organization_id)]
	_ = [1]int{}[unsafe.Offsetof(record{}.organizationRole)-unsafe.Offsetof(C.torii_record_t{}.organization_role)]
	_ = [1]int{}[unsafe.Offsetof(record{}.actorID)-unsafe.Offsetof(C.torii_record_t{}.actor_id)]
	_ = [1]int{}[unsafe.Offsetof(record{}.claimsJSON)-unsafe.Offsetof(C.torii_record_t{}.claims_json)]
)

// A buffer has room for the record of all but extraordinary tokens. C keeps nothing of it.
type buffer struct {
	outcome C.go_outcome
	record  [3072 / 8]uint64
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// readRecord decodes a record of size bytes. Its texts are copied at once, as one string.
func readRecord(words []uint64, size uint64) (*Auth, error) {
	if size < uint64(unsafe.Sizeof(record{})) || size > uint64(len(words))*8 {
		return nil, brokenRecord()
	}
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), size)
	r := (*record)(unsafe.Pointer(unsafe.SliceData(words)))
	if uint64(r.size) != size || uint64(r.headerSize) < uint64(unsafe.Sizeof(record{})) || uint64(r.headerSize) > size {
		return nil, brokenRecord()
	}
	t := texts{all: string(bytes[r.headerSize:]), start: r.headerSize}
	auth := &Auth{
		UserID:           t.text(r.userID),
		EnvironmentID:    t.text(r.environmentID),
		Issuer:           t.text(r.issuer),
		OrganizationID:   t.text(r.organizationID),
		OrganizationRole: t.text(r.organizationRole),
		ActorID:          t.text(r.actorID),
		EmailVerified:    Flags(r.flags)&EmailVerified != 0,
		ProfileComplete:  Flags(r.flags)&ProfileComplete != 0,
		Impersonating:    Flags(r.flags)&NotImpersonated == 0,
		IssuedAt:         time.Unix(r.issuedAt, 0),
		ExpiresAt:        time.Unix(r.expiresAt, 0),
		ClaimsJSON:       t.text(r.claimsJSON),
	}
	if r.locale.offset != 0 {
		auth.locale = t.text(r.locale)
		auth.Locale = &auth.locale
	}
	if t.broken || auth.UserID == "" || auth.EnvironmentID == "" || auth.Issuer == "" || auth.ClaimsJSON == "" {
		return nil, brokenRecord()
	}
	return auth, nil
}

func brokenRecord() error {
	return &Error{Status: ErrInternal, Message: "record: its sizes or spans are wrong"}
}

// texts are those of a record: what follows its header.
type texts struct {
	all    string
	start  uint32
	broken bool
}

// text is the text of a span, "" if absent. The NUL after it is part of the record.
func (t *texts) text(s span) string {
	if s.offset == 0 {
		return ""
	}
	// In 64 bits no sum overflows.
	start, end := uint64(s.offset)-uint64(t.start), uint64(s.offset)-uint64(t.start)+uint64(s.len)
	if s.offset < t.start || end >= uint64(len(t.all)) || t.all[end] != 0 {
		t.broken = true
		return ""
	}
	return t.all[start:end]
}
