<?php

declare(strict_types=1);

namespace Torii;

/** A requirement that torii's own claims answer. */
enum Requirement: int
{
    /** `email_verified` is true. torii stamps it only through the environment's default JWT template. */
    case EmailVerified = 1;
    /** `profile_complete` is not false. */
    case ProfileComplete = 2;
    /** Neither `impersonating` nor `act` says that another party acts as the user. */
    case NotImpersonated = 4;
    /** An organization is active. */
    case Organization = 8;
}
