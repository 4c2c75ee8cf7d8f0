/** What a new password has to be, where one is chosen. */
export const PASSWORD_HINT = 'At least 15 characters. A few words that have nothing to do with each other are best.'
