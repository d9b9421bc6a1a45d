#include "shim.h"

#include "_cgo_export.h"

static int64_t now(void *clock)
{
    return toriiNow((uintptr_t)clock);
}

torii_status_t go_set_clock(torii_verifier_options_t *options, uintptr_t clock, torii_error_t **err)
{
    return torii_verifier_options_set_clock(options, now, (void *)clock, err);
}
