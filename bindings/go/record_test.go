package torii

import (
	"errors"
	"testing"
	"unsafe"
)

// The layout of torii_record_t may only grow.
func TestRecordLayout(t *testing.T) {
	for name, c := range map[string][2]uintptr{
		"size":              {unsafe.Offsetof(record{}.size), 0},
		"header_size":       {unsafe.Offsetof(record{}.headerSize), 4},
		"flags":             {unsafe.Offsetof(record{}.flags), 8},
		"issued_at":         {unsafe.Offsetof(record{}.issuedAt), 16},
		"expires_at":        {unsafe.Offsetof(record{}.expiresAt), 24},
		"user_id":           {unsafe.Offsetof(record{}.userID), 32},
		"environment_id":    {unsafe.Offsetof(record{}.environmentID), 40},
		"issuer":            {unsafe.Offsetof(record{}.issuer), 48},
		"locale":            {unsafe.Offsetof(record{}.locale), 56},
		"organization_id":   {unsafe.Offsetof(record{}.organizationID), 64},
		"organization_role": {unsafe.Offsetof(record{}.organizationRole), 72},
		"actor_id":          {unsafe.Offsetof(record{}.actorID), 80},
		"claims_json":       {unsafe.Offsetof(record{}.claimsJSON), 88},
		"len of a span":     {unsafe.Offsetof(span{}.len), 4},
		"sizeof a span":     {unsafe.Sizeof(span{}), 8},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %d is not %d", name, c[0], c[1])
		}
	}
	if unsafe.Sizeof(record{}) < 96 {
		t.Error(unsafe.Sizeof(record{}))
	}
}

// made is a record with the texts "user", "environment", "issuer" and "{}", and what change does to it.
func made(change func(r *record, bytes []byte)) ([]uint64, uint64) {
	words := make([]uint64, 32)
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), 8*len(words))
	r := (*record)(unsafe.Pointer(&words[0]))
	at := uint32(unsafe.Sizeof(record{}))
	r.headerSize = at
	write := func(s *span, text string) {
		*s = span{at, uint32(len(text))}
		at += uint32(copy(bytes[at:], text+"\x00"))
	}
	write(&r.userID, "user")
	write(&r.environmentID, "environment")
	write(&r.issuer, "issuer")
	write(&r.organizationRole, "")
	write(&r.claimsJSON, "{}")
	r.size = at
	r.flags = uint32(EmailVerified)
	change(r, bytes)
	return words, uint64(r.size)
}

func TestRecord(t *testing.T) {
	words, size := made(func(*record, []byte) {})
	auth, err := readRecord(words, size)
	if err != nil {
		t.Fatal(err)
	}
	if auth.UserID != "user" || auth.EnvironmentID != "environment" || auth.Issuer != "issuer" || auth.ClaimsJSON != "{}" ||
		auth.Locale != nil || auth.OrganizationID != "" || auth.ActorID != "" ||
		!auth.EmailVerified || auth.ProfileComplete || !auth.Impersonating {
		t.Errorf("%+v", auth)
	}
	// A header of a later library is longer; what is known of it stays where it is.
	words, size = made(func(r *record, bytes []byte) {
		grown := make([]uint64, 40)
		copy(grown, words)
		for _, s := range []*span{&r.userID, &r.environmentID, &r.issuer, &r.organizationRole, &r.claimsJSON} {
			s.offset += 16
		}
		copy(bytes[r.headerSize+16:], append([]byte(nil), bytes[r.headerSize:r.size]...))
		r.headerSize += 16
		r.size += 16
	})
	if auth, err = readRecord(words, size); err != nil || auth.UserID != "user" || auth.ClaimsJSON != "{}" {
		t.Errorf("%+v, %v", auth, err)
	}
}

// A record with wrong sizes or spans is refused.
func TestBrokenRecord(t *testing.T) {
	for name, change := range map[string]func(r *record, bytes []byte){
		"header too small":        func(r *record, _ []byte) { r.headerSize-- },
		"header beyond the end":   func(r *record, _ []byte) { r.headerSize = r.size + 1 },
		"text in the header":      func(r *record, _ []byte) { r.userID = span{r.headerSize - 1, 5} },
		"text beyond the end":     func(r *record, _ []byte) { r.claimsJSON.offset = r.size },
		"text over the end":       func(r *record, _ []byte) { r.claimsJSON.len++ },
		"length beyond all":       func(r *record, _ []byte) { r.claimsJSON.len = 1<<32 - 1 },
		"offset beyond all":       func(r *record, _ []byte) { r.issuer.offset = 1<<32 - 1 },
		"no NUL":                  func(r *record, b []byte) { b[r.userID.offset+r.userID.len] = 'x' },
		"locale without NUL":      func(r *record, _ []byte) { r.locale = span{r.userID.offset, 1} },
		"no user":                 func(r *record, _ []byte) { r.userID = span{} },
		"empty user":              func(r *record, _ []byte) { r.userID = r.organizationRole },
		"no environment":          func(r *record, _ []byte) { r.environmentID = span{} },
		"no issuer":               func(r *record, _ []byte) { r.issuer = span{} },
		"no claims":               func(r *record, _ []byte) { r.claimsJSON = span{} },
		"larger than its buffer":  func(r *record, _ []byte) { r.size = 8*32 + 1 },
		"smaller than its header": func(r *record, _ []byte) { r.size = 95 },
	} {
		auth, err := readRecord(made(change))
		if auth != nil || !errors.Is(err, ErrInternal) {
			t.Errorf("%s: %+v, %v", name, auth, err)
		}
	}
	words, size := made(func(*record, []byte) {})
	for _, other := range []uint64{0, size - 1, size + 1} {
		if auth, err := readRecord(words, other); auth != nil || !errors.Is(err, ErrInternal) {
			t.Errorf("%d bytes: %+v, %v", other, auth, err)
		}
	}
}
