/**
 * The pieces that common passwords are put together from: words and keyboard walks.
 *
 * A list of our own, not one of leaked passwords. Lists of those hold almost nothing of fifteen characters and more but
 * combinations of such pieces, and combinations are what `guess-cost.ts` recognises.
 *
 * @module
 */

/** Words that people reach for when they are asked for a password. */
export const COMMON_WORDS: ReadonlySet<string> = new Set(
  `password passwort passwords passphrase passcode contrasena motdepasse senha parola wachtwoord lozinka haslo
  welcome willkommen bienvenue letmein letme openup opensesame sesame abracadabra access unlock entry enter
  admin administrator administrateur root superuser sysadmin system manager user username login logon signin account
  guest default changeme changethis change secret topsecret private secure security server database internet computer
  laptop windows google facebook twitter instagram youtube amazon apple microsoft linux android samsung nokia
  hello goodbye sunshine princess prince monkey dragon shadow master superman batman spiderman ironman starwars
  pokemon pikachu naruto minecraft fortnite football baseball basketball soccer hockey tennis golf player killer
  ninja samurai warrior hunter ranger legend freedom whatever nothing trustno iloveyou loveyou lovely lover forever
  family friends friend mother father brother sister daughter baby babygirl angel heaven jesus christ god blessed
  faith hope peace flower butterfly purple orange yellow green silver golden diamond crystal rainbow cookie chocolate
  cheese banana pepper ginger coffee summer winter spring autumn january february march april june july august
  september october november december monday tuesday wednesday thursday friday saturday sunday birthday christmas
  michael jordan jennifer jessica michelle charlie thomas robert daniel matthew andrew joshua ashley nicole hannah
  george william harley ferrari porsche mustang mercedes corvette yamaha honda london paris berlin america england
  liverpool chelsea arsenal manchester united barcelona madrid juventus bayern cowboys yankees steelers lakers
  company business office work temp temporary qwerty qwertz azerty asdf zxcv qwer wasd
  sallyport session token tenant production staging development`
    .split(/\s+/)
    .filter((word) => word !== ''),
)

/** Words that only hold others together. */
export const GLUE_WORDS: ReadonlySet<string> = new Set(
  'my me mine the this that is it its in on of to for and or not no yes you your our we us am are be i a an love new old'.split(
    ' ',
  ),
)

const ROWS = [
  '`1234567890-=',
  '~!@#$%^&*()_+',
  'qwertyuiop[]',
  'asdfghjkl;',
  'zxcvbnm,./',
  'azertyuiop',
  'qsdfghjklm',
  'wxcvbn',
  'qwertzuiop',
  'yxcvbnm',
  'abcdefghijklmnopqrstuvwxyz',
]
const COLUMNS = ['1qaz', '2wsx', '3edc', '4rfv', '5tgb', '6yhn', '7ujm', '8ik,', '9ol.', '0p;/']

/** What a finger draws on a keyboard: a part of three keys and more of any of these, in either direction, is a walk. */
export const WALKS: readonly string[] = [
  ...ROWS,
  '12345678901234567890123456789012345678901234567890',
  'qwertyuiopasdfghjklzxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
  COLUMNS.join(''),
  COLUMNS.map((column) => column.slice(1)).join(''),
  zigzag('1234567890', 'qwertyuiop'),
  zigzag('qwertyuiop', 'asdfghjkl;'),
  zigzag('asdfghjkl;', 'zxcvbnm,./'),
].flatMap((walk) => [walk, Array.from(walk).reverse().join('')])

function zigzag(upper: string, lower: string): string {
  return Array.from(upper, (key, index) => `${key}${lower[index] ?? ''}`).join('')
}
