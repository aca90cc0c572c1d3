import type en from '../en/transfer'

export default {} satisfies typeof en
