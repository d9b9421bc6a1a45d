<?php

declare(strict_types=1);

namespace App\Controller;

use Symfony\Component\HttpFoundation\JsonResponse;
use Torii\Auth;

final class AccountController
{
    public function me(Auth $auth): JsonResponse
    {
        return new JsonResponse(['user_id' => $auth->userId]);
    }

    public function health(): JsonResponse
    {
        return new JsonResponse(['ok' => true]);
    }
}
