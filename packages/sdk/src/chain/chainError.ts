import { type ErrorCode, isPeerHostError, PeerHostError } from '@peerhost/protocol'
import { type BaseError, type ContractFunctionRevertedError, decodeErrorResult, type Hex, parseAbi } from 'viem'
import { suiteAbis } from './suiteAbis.ts'

/** Errors of the contracts and of the usual ERC-20 implementations, so that a revert is read whoever caused it. */
const errorsAbi = [
  ...Object.values(suiteAbis).flatMap((abi) => abi.filter((item) => item.type === 'error')),
  ...parseAbi([
    'error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)',
    'error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)',
  ]),
]

type Reading = { code: ErrorCode; hint: string }

/** What a custom error means to the caller and what to do next; errors that are not here are `transaction_failed`. */
const readings: Readonly<Record<string, Reading>> = {
  FunctionUnknown: { code: 'function_not_found', hint: 'Deploy the function first, or check its id.' },
  VersionUnknown: { code: 'function_not_found', hint: 'Name a version that was published.' },
  NotOwner: { code: 'conflict', hint: 'Use the wallet that owns the function, or deploy under another project name.' },
  NotPendingOwner: { code: 'conflict', hint: 'Let the owner offer the function to this wallet first.' },
  NameInvalid: { code: 'config_invalid', hint: 'Rename the function: lower-case letters, digits and inner hyphens.' },
  SpecInvalid: { code: 'config_invalid', hint: 'Correct this member of the function’s configuration.' },
  NothingToPublish: { code: 'conflict', hint: 'Publish at least one function.' },
  AmountZero: { code: 'request_invalid', hint: 'Give an amount above zero.' },
  AddressZero: { code: 'request_invalid', hint: 'Give an address.' },
  BalanceTooLow: { code: 'insufficient_funds', hint: 'Deposit more, or ask for less.' },
  StakeTooLow: { code: 'insufficient_funds', hint: 'Stake at least the minimum.' },
  ERC20InsufficientBalance: { code: 'insufficient_funds', hint: 'Send tokens to the account first.' },
  ERC20InsufficientAllowance: { code: 'insufficient_funds', hint: 'Approve the amount first, then try again.' },
  CreditExhausted: { code: 'credit_exhausted', hint: 'Deposit credit or raise the cap with fundCredit().' },
  CreditLineClosed: { code: 'credit_exhausted', hint: 'Grant the line again with fundCredit().' },
  TooEarly: { code: 'conflict', hint: 'Wait until the time in the error, then try again.' },
  NothingToWithdraw: { code: 'conflict', hint: 'Request a withdrawal first, or wait for earnings.' },
  OperatorNotInStatus: { code: 'conflict', hint: 'Bring the operator to the expected status first.' },
  ExecutionKeyTaken: { code: 'conflict', hint: 'Use a fresh execution key.' },
  ExecutionKeyMissing: { code: 'conflict', hint: 'Bind an execution key first: peerhost worker rotate.' },
  ExecutionKeyProofInvalid: { code: 'conflict', hint: 'Sign the proof again: the operator’s key nonce has moved on.' },
  CasesOpen: { code: 'conflict', hint: 'Wait until the disputes about this operator are over.' },
  SeedNotCapturable: { code: 'conflict', hint: 'Ask for an epoch that is due and has no seed yet.' },
  SeedBlockPending: { code: 'conflict', hint: 'Try again a block later.' },
  ActionSignatureInvalid: {
    code: 'conflict',
    hint: 'Sign the action again with signRelayedAction(): it was used, or signed by another account.',
  },
  ActionExpired: { code: 'conflict', hint: 'Sign the action again with signRelayedAction().' },
  ActionNested: { code: 'request_invalid', hint: 'Relay the inner action itself.' },
  NotFunctionOwner: { code: 'conflict', hint: 'Use the wallet that owns the function.' },
  NotJudged: {
    code: 'conflict',
    hint: 'Only deterministic functions with an owner’s bond and without network or secrets are judged.',
  },
  NotAudited: { code: 'conflict', hint: 'The lottery did not choose this request, or its seed is not captured yet.' },
  NotJuror: { code: 'conflict', hint: 'Only operators that were drawn for this jury vote.' },
  CaseExists: { code: 'conflict', hint: 'Follow the case that is open already.' },
  CaseNotInStatus: { code: 'conflict', hint: 'Read the case: it is over, or in another phase.' },
  WindowClosed: { code: 'conflict', hint: 'A result can be challenged only until its window closes.' },
  WrongPhase: { code: 'conflict', hint: 'Wait until the time in the error, then try again.' },
  EvidenceInvalid: { code: 'request_invalid', hint: 'Show the ticket and the attestations with their own signatures.' },
  NotBonded: { code: 'conflict', hint: 'Bond first: bondRequester of the coordinator.' },
  TicketInvalid: { code: 'request_invalid', hint: 'The number is the reason, see SkipReason in the contract’s page.' },
  AlreadyPosted: { code: 'conflict', hint: 'The ticket is on chain already: wait for its result.' },
  NotPosted: { code: 'conflict', hint: 'Post the ticket first.' },
  PostedNotInStatus: { code: 'conflict', hint: 'Read the posted request: it was answered, or has expired.' },
  InputTooLarge: { code: 'request_too_large', hint: 'Post no input: the workers ask the requester for it.' },
  NotYourTurn: { code: 'conflict', hint: 'Wait for the block in the error.' },
  EscrowNotInStatus: { code: 'conflict', hint: 'Read it with getEscrow(): it is in another state.' },
  DepositTooLow: { code: 'insufficient_funds', hint: 'Pay the price to the quote’s address first.' },
  AuthorizationInvalid: { code: 'payment_invalid', hint: 'Sign a fresh payment for this quote.' },
  TicketMismatch: { code: 'request_invalid', hint: 'Show the ticket that is bound to this quote.' },
  NotReleasable: { code: 'conflict', hint: 'The result earns no payment: refund it instead.' },
  DisputeOpen: { code: 'conflict', hint: 'Wait until the dispute about the request is over.' },
  NotAuthorized: { code: 'conflict', hint: 'Only the network’s own contracts may do this.' },
  TokenAmountMismatch: { code: 'config_invalid', hint: 'Use a token that moves exactly what it is asked to.' },
}

/** Turns whatever viem throws into a `PeerHostError` that says what happened and what to do next. */
export function chainError(error: unknown, action: string): PeerHostError {
  if (isPeerHostError(error)) return error
  if (!(error instanceof Error) || !('walk' in error)) return failed(action, error, [])
  const viemError = error as BaseError
  const revert = revertOf(viemError)
  if (revert) {
    const reading = readings[revert.name] ?? readingOfText(revert.text)
    return new PeerHostError(reading.code, `The contract refused to ${action}: ${revert.text}.`, {
      hint: reading.hint,
      cause: error,
    })
  }
  const names = namesOf(viemError)
  if (names.has('InsufficientFundsError')) {
    return new PeerHostError('insufficient_funds', `The account cannot pay the gas to ${action}.`, {
      hint: 'Send native currency of this chain to the account.',
      cause: error,
    })
  }
  if (names.has('UserRejectedRequestError')) {
    return new PeerHostError('transaction_failed', `The wallet did not agree to ${action}.`, {
      hint: 'Confirm the request in the wallet.',
      cause: error,
    })
  }
  if (names.has('ChainMismatchError')) {
    return new PeerHostError('config_invalid', `The wallet is on another chain, so it cannot ${action}.`, {
      details: [viemError.shortMessage],
      hint: 'Switch the wallet to the chain of the network, then try again.',
      cause: error,
    })
  }
  if (names.has('HttpRequestError') || names.has('TimeoutError') || names.has('WebSocketRequestError')) {
    return new PeerHostError('chain_unavailable', `The chain did not answer when asked to ${action}.`, {
      hint: 'Check the RPC URL, then try again: what was done already is not done twice.',
      cause: error,
    })
  }
  return failed(action, error, [viemError.shortMessage ?? viemError.message])
}

/** Tokens such as USDC revert with words instead of errors. */
function readingOfText(text: string): Reading {
  if (/exceeds balance/.test(text)) return { code: 'insufficient_funds', hint: 'Send tokens to the account first.' }
  if (/exceeds allowance/.test(text)) return { code: 'insufficient_funds', hint: 'Approve the amount, then try again.' }
  return { code: 'transaction_failed', hint: 'Read the reason, then correct the call.' }
}

function failed(action: string, cause: unknown, details: string[]): PeerHostError {
  return new PeerHostError('transaction_failed', `It was not possible to ${action}.`, {
    details,
    hint: 'Read the cause; nothing was changed unless a transaction is named there.',
    cause,
  })
}

function revertOf(error: BaseError): { name: string; text: string } | undefined {
  const revert = error.walk((inner) => (inner as Error).name === 'ContractFunctionRevertedError') as
    | ContractFunctionRevertedError
    | undefined
  if (!revert) return undefined
  const { data, raw, reason } = revert
  const decoded = data ?? (raw && raw !== '0x' ? decode(raw) : undefined)
  if (decoded && decoded.errorName !== 'Error') {
    return { name: decoded.errorName, text: `${decoded.errorName}(${(decoded.args ?? []).map(String).join(', ')})` }
  }
  return { name: 'Error', text: reason ?? 'it gave no reason' }
}

function decode(raw: Hex): { errorName: string; args?: readonly unknown[] | undefined } | undefined {
  try {
    return decodeErrorResult({ abi: errorsAbi, data: raw })
  } catch {
    return undefined
  }
}

function namesOf(error: BaseError): Set<string> {
  const names = new Set<string>()
  error.walk((inner) => {
    names.add((inner as Error).name)
    return false
  })
  return names
}
