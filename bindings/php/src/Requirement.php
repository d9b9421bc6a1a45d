<?php

declare(strict_types=1);

namespace Torii;

/** What can be asked of every token beyond its being good. */
enum Requirement: int
{
    /** `email_verified` is true. */
    case EmailVerified = 1;
    /** `profile_complete` is not false. */
    case ProfileComplete = 2;
    /** `impersonating` is not true. */
    case NotImpersonated = 4;
}
