package torii

// #include "shim.h"
import "C"

import (
	"time"
	"unsafe"
)

// Revoke refuses the tokens of a user that were issued at or before this time, at most one day ahead,
// in this process. It matches sub and the actor. Of two calls the later time counts.
func (v *Verifier) Revoke(userID string, before time.Time) error {
	// Rounded up: a time within a second includes the tokens of this second.
	seconds := before.Unix()
	if before.Nanosecond() > 0 {
		seconds++
	}
	return v.revoke(userID, C.int64_t(seconds))
}

// RevokeAll refuses every token of a user in this process, those of the future included.
func (v *Verifier) RevokeAll(userID string) error {
	return v.revoke(userID, C.TORII_REVOKE_ALL)
}

func (v *Verifier) revoke(userID string, before C.int64_t) error {
	return v.use(func(e **C.torii_error_t) C.torii_status_t {
		p, n := text(userID)
		return C.torii_verifier_revoke(v.verifier, p, n, before, e)
	})
}

// SetRevocationsJSON replaces the list of an earlier call: {"revoked":[{"sub":"…","before":1732550000}]}.
// before may be "all". An empty list lifts these bans; those of [Verifier.Revoke] and
// [WithRevocationsFile] stay. If the list is invalid, the earlier one stays.
func (v *Verifier) SetRevocationsJSON(list []byte) error {
	return v.use(func(e **C.torii_error_t) C.torii_status_t {
		p := (*C.char)(unsafe.Pointer(unsafe.SliceData(list)))
		return C.torii_verifier_set_revocations_json(v.verifier, p, C.size_t(len(list)), e)
	})
}
